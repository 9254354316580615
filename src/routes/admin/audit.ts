import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { type Static, Type } from 'typebox'
import { auditActions } from '../../audit/events.js'
import {
  auditCursorPattern,
  auditPageSize,
  type RecordedAuditEvent,
  searchAudit
} from '../../audit/search.js'
import type { Database } from '../../database/connection.js'
import { closed, InstantSchema, UuidSchema } from '../schemas.js'

const NullableText = Type.Union([Type.String(), Type.Null()])

const EventSchema = closed({
  id: UuidSchema,
  occurredAt: InstantSchema,
  action: Type.String(),
  outcome: Type.Union([Type.Literal('success'), Type.Literal('refused')]),
  actor: Type.Object(
    { kind: Type.String(), id: NullableText },
    {
      additionalProperties: false,
      description: 'An account or a client by its id, an operator at a terminal by the name'
    }
  ),
  subject: Type.Union([closed({ kind: Type.String(), id: Type.String() }), Type.Null()]),
  userId: Type.Union([UuidSchema, Type.Null()], { description: 'The account that it is about' }),
  ip: NullableText,
  reason: NullableText,
  details: Type.Union([Type.Record(Type.String(), Type.Unknown()), Type.Null()]),
  batch: Type.Union([Type.Integer(), Type.Null()], {
    description: 'The batch that seals it; null until then'
  })
})

/** Without control characters, one of which no text in Postgres can hold. */
const NameSchema = Type.String({ minLength: 1, maxLength: 200, pattern: '^\\P{Cc}*$' })

/** As RFC 3339 says it, without the leap second, which no clock here knows. */
const MomentSchema = Type.String({
  format: 'date-time',
  pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:[0-5]\\d(\\.\\d{1,9})?(Z|[+-]\\d\\d:\\d\\d)$'
})

const QuerySchema = closed({
  actor: Type.Optional(NameSchema),
  subject: Type.Optional(NameSchema),
  action: Type.Optional(Type.Union(auditActions.map((action) => Type.Literal(action)))),
  since: Type.Optional(MomentSchema),
  until: Type.Optional(MomentSchema),
  cursor: Type.Optional(Type.String({ pattern: auditCursorPattern.source })),
  limit: Type.Optional(
    Type.Integer({ minimum: 1, maximum: auditPageSize.max, default: auditPageSize.default })
  )
})

export interface AdminAuditRoutesOptions {
  readonly database: Database
}

/** Who did what to whom. */
const adminAuditRoutes: FastifyPluginAsyncTypebox<AdminAuditRoutesOptions> =
  async function adminAuditRoutes(app, { database }) {
    app.addHook('onRequest', app.requireAdmin)

    app.get(
      '/audit',
      {
        schema: {
          summary: 'What was done, by whom and from where',
          description:
            'Newest first. `subject` is what it happened to, or the account that it is about; `since` is included, `until` is not.',
          tags: ['Administration'],
          security: [{ bearer: [] }],
          querystring: QuerySchema,
          response: {
            200: closed({ events: Type.Array(EventSchema), nextCursor: NullableText })
          }
        }
      },
      async function readAudit(request) {
        const { since, until, ...rest } = request.query
        const { events, nextCursor } = await searchAudit(database, {
          ...rest,
          since: since === undefined ? undefined : new Date(since),
          until: until === undefined ? undefined : new Date(until)
        })
        return { events: events.map(eventAnswer), nextCursor }
      }
    )
  }

export default adminAuditRoutes

function eventAnswer(event: RecordedAuditEvent): Static<typeof EventSchema> {
  return { ...event, occurredAt: event.occurredAt.toISOString() }
}
