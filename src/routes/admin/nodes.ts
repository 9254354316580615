import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { Roster } from '../../revocation/roster.js'
import { closed, InstantSchema, UuidSchema } from '../schemas.js'

const NodeSchema = closed({
  id: UuidSchema,
  startedAt: InstantSchema,
  mode: Type.Union([Type.Literal('replica'), Type.Literal('redis'), Type.Literal('database')], {
    description: 'What it decides from: its memory, Redis or Postgres'
  }),
  lagMs: Type.Union([Type.Integer(), Type.Null()], {
    description:
      'How long ago it was last known to keep up, in milliseconds: to read the stream or, where it follows Postgres, to be alive. 0 where it asks for each token; null where that is not known'
  }),
  applied: Type.Boolean({
    description: 'Whether it is known to refuse all that was revoked until now'
  }),
  leaseMsLeft: Type.Union([Type.Integer(), Type.Null()], {
    description:
      'For at most how many milliseconds it may decide from what it has if nothing more is heard of it; null where that is not known, and where it asks Postgres'
  })
})

export interface AdminNodeRoutesOptions {
  readonly readRoster: () => Promise<Roster>
}

/** Who decides about tokens, and how well each keeps up. */
const adminNodeRoutes: FastifyPluginAsyncTypebox<AdminNodeRoutesOptions> =
  async function adminNodeRoutes(app, { readRoster }) {
    app.addHook('onRequest', app.requireAdmin)

    app.get(
      '/nodes',
      {
        schema: {
          summary: 'The nodes, those in other services included',
          description: 'A node that died without a word is listed until its lease is long over.',
          tags: ['Administration'],
          security: [{ bearer: [] }],
          response: {
            200: closed({ nodes: Type.Array(NodeSchema), generation: Type.Integer() })
          }
        }
      },
      async function listNodes() {
        const { nodes, generation } = await readRoster()
        return {
          nodes: nodes.map((node) => ({ ...node, startedAt: node.startedAt.toISOString() })),
          generation
        }
      }
    )
  }

export default adminNodeRoutes
