import { type Static, Type } from 'typebox'
import { actorName } from '../../audit/origin.js'
import type { Incident } from '../../incidents/store.js'
import { maxSpared } from '../../incidents/target.js'
import { receiptAnswer } from '../answers.js'
import { closed, InstantSchema, ReasonSchema, ReceiptSchema, UuidSchema } from '../schemas.js'

const textSchema = (description: string) =>
  Type.Optional(Type.String({ minLength: 1, maxLength: 200, description }))
const timeSchema = (description: string) =>
  Type.Optional(Type.String({ format: 'date-time', description }))

const criteria = {
  role: textSchema('Sessions of accounts that have this role'),
  createdBefore: timeSchema('Sessions opened before'),
  createdAfter: timeSchema('Sessions opened then or later'),
  lastUsedBefore: timeSchema('Sessions refreshed for the last time before'),
  lastUsedAfter: timeSchema('Sessions refreshed then or later'),
  ipRange: textSchema('Sessions opened from an address of this CIDR range'),
  keyId: textSchema(
    'Sessions with an access token that the key with this kid signed, and those from before it was noted which'
  )
}

const CohortSchema = Type.Object(
  { kind: Type.Literal('cohort'), ...criteria },
  { additionalProperties: false, description: 'At least one criterion; all have to be met' }
)

const spared = {
  spare: Type.Optional(
    Type.Array(UuidSchema, { maxItems: maxSpared, description: 'Accounts that stay logged in' })
  ),
  spareRole: Type.Optional(
    Type.Literal('service', { description: 'Accounts with this role stay logged in' })
  )
}

export const StartBodySchema = closed({
  target: Type.Union([
    closed({
      kind: Type.Literal('everyone'),
      confirm: Type.Optional(
        Type.Literal('everyone', { description: 'Required, unless it is a dry run' })
      )
    }),
    CohortSchema
  ]),
  ...spared,
  reason: ReasonSchema,
  dryRun: Type.Optional(
    Type.Literal(true, { description: 'Only counts whom it would hit; nothing happens' })
  )
})

export const EstimateSchema = closed({
  sessions: Type.Integer(),
  accounts: Type.Integer(),
  spared: Type.Integer({ description: 'Sessions that would be hit if they were not spared' }),
  hashMs: Type.Number({ description: 'What one password hash takes on this machine' }),
  hashesPerSecond: Type.Number({ description: 'Of all nodes together' }),
  nodes: Type.Integer(),
  estimatedLoginSeconds: Type.Integer({ description: 'Until everybody can be back' })
})

const nullable = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) =>
  Type.Union([schema, Type.Null()])

export const IncidentSchema = closed({
  id: UuidSchema,
  target: Type.Union([closed({ kind: Type.Literal('everyone') }), CohortSchema]),
  ...spared,
  reason: Type.String(),
  actor: closed({
    kind: Type.String(),
    id: nullable(Type.String({ description: 'Of an operator at a terminal, the name' }))
  }),
  status: Type.Union([Type.Literal('running'), Type.Literal('stopped'), Type.Literal('finished')]),
  startedAt: InstantSchema,
  sessionsExpected: Type.Integer({ description: 'As counted at the start, within a second' }),
  sessionsRevoked: Type.Integer(),
  batches: Type.Integer(),
  finishedAt: nullable(InstantSchema),
  receipt: nullable(ReceiptSchema)
})

export const IncidentAnswerSchema = closed({ incident: IncidentSchema })

export function incidentAnswer(incident: Incident): Static<typeof IncidentSchema> {
  const { actor, startedAt, finishedAt, receipt } = incident
  const { spare, spareRole, ...target } = incident.target
  return {
    id: incident.id,
    target,
    ...(spare === undefined ? {} : { spare: [...spare] }),
    ...(spareRole === undefined ? {} : { spareRole }),
    reason: incident.reason,
    actor: { kind: actor.kind, id: actorName(actor) },
    status: incident.status,
    startedAt: startedAt.toISOString(),
    sessionsExpected: incident.sessionsExpected,
    sessionsRevoked: incident.sessionsRevoked,
    batches: incident.batches,
    finishedAt: finishedAt?.toISOString() ?? null,
    receipt: receipt && receiptAnswer(receipt)
  }
}
