import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { type Static, Type } from 'typebox'
import type { OperatorRevocations } from '../../operators/revocations.js'
import { authenticatedUser } from '../../plugins/guard.js'
import { problem } from '../../problems.js'
import type { RecordedRevocation } from '../../revocation/history.js'
import { createCursors, defaultLimit, NextCursorSchema, pageQuery } from '../cursor.js'
import { userOrigin } from '../origin.js'
import { closed, InstantSchema, ReasonSchema, ReceiptSchema, UuidSchema } from '../schemas.js'

const TargetSchema = Type.Union([
  closed({ kind: Type.Literal('token'), jti: UuidSchema }),
  closed({ kind: Type.Literal('session'), id: UuidSchema }),
  closed({ kind: Type.Literal('user'), id: UuidSchema }),
  closed({ kind: Type.Literal('everyone'), confirm: Type.Literal('everyone') })
])

const RevocationSchema = closed({
  id: UuidSchema,
  kind: Type.Union([
    Type.Literal('token'),
    Type.Literal('session'),
    Type.Literal('user'),
    Type.Literal('everyone')
  ]),
  target: Type.Union([UuidSchema, Type.Null()], { description: 'null for everyone' }),
  reason: Type.String(),
  actorId: Type.Union([UuidSchema, Type.Null()], {
    description: 'The account that asked for it; null for the service itself'
  }),
  createdAt: InstantSchema,
  liveUntil: Type.String({
    format: 'date-time',
    description: 'After that every token that it covers has expired'
  })
})

const PastRevocationSchema = closed({
  ...RevocationSchema.properties,
  confirmedAt: Type.Union([InstantSchema, Type.Null()], {
    description:
      'When it was first known that no node accepts any more what it covers; null where nobody was told so'
  })
})

const cursors = createCursors('revocations')

export interface AdminRevocationRoutesOptions {
  readonly revocations: OperatorRevocations
}

/** Revocation by an operator. The answer comes when it is true on every node. */
const adminRevocationRoutes: FastifyPluginAsyncTypebox<AdminRevocationRoutesOptions> =
  async function adminRevocationRoutes(app, { revocations }) {
    app.addHook('onRequest', app.requireAdmin)

    app.post(
      '/revocations',
      {
        schema: {
          summary: 'Revoke a token, a session, a user or everything',
          description:
            'Of a user every session and token dies. The call can be repeated: it waits again. Of everyone it spreads no logins and counts nobody: an incident does.',
          tags: ['Administration'],
          security: [{ bearer: [] }],
          body: closed({ target: TargetSchema, reason: ReasonSchema }),
          response: { 201: closed({ revocation: RevocationSchema, receipt: ReceiptSchema }) }
        }
      },
      async function revoke(request, reply) {
        const { target, reason } = request.body
        const { id: actorId } = authenticatedUser(request)
        const outcome = await revocations.revoke(target, {
          reason,
          origin: userOrigin(request)
        })
        if (outcome.kind === 'no such target') {
          throw problem('NOT_FOUND', { detail: `There is no ${target.kind} with this id.` })
        }
        const { revocation, receipt } = outcome
        const { id: revocationId, kind } = revocation
        request.log.info({ event: 'admin.revoked', revocationId, kind, adminId: actorId })
        reply.code(201)
        return { revocation: revocationAnswer(revocation), receipt }
      }
    )

    app.get(
      '/revocations',
      {
        schema: {
          summary: 'What was revoked, by whom and why',
          description: 'Newest first, for 90 days after it has ceased to matter.',
          tags: ['Administration'],
          security: [{ bearer: [] }],
          querystring: closed(pageQuery),
          response: {
            200: closed({
              revocations: Type.Array(PastRevocationSchema),
              nextCursor: NextCursorSchema
            })
          }
        }
      },
      async function listRevocations(request) {
        const { cursor, limit = defaultLimit } = request.query
        const { revocations: page, next } = await revocations.list({
          after: cursors.read(cursor),
          limit
        })
        return {
          revocations: page.map(({ confirmedAt, ...revocation }) => ({
            ...revocationAnswer(revocation),
            confirmedAt: confirmedAt?.toISOString() ?? null
          })),
          nextCursor: cursors.after(next)
        }
      }
    )
  }

export default adminRevocationRoutes

function revocationAnswer(revocation: RecordedRevocation): Static<typeof RevocationSchema> {
  return {
    ...revocation,
    createdAt: revocation.createdAt.toISOString(),
    liveUntil: revocation.liveUntil.toISOString()
  }
}
