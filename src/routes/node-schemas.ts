import { Type } from 'typebox'
import { closed, UuidSchema } from './schemas.js'

/** The text of a pg_snapshot, which clients pass on as they got it. */
const HorizonSchema = Type.String({ pattern: '^\\d{1,20}:\\d{1,20}:[\\d,]{0,8000}$' })

const InstantMsSchema = Type.Number({
  minimum: 0,
  maximum: 8_640_000_000_000_000,
  description: 'Milliseconds since the epoch'
})

const LevelSchema = Type.Integer({ minimum: 0 })

const EpochSchema = Type.Integer({
  minimum: 1,
  maximum: 2_147_483_647,
  description: 'Rises with every declaration of this node, so that a late one takes nothing back'
})

const NullableTextSchema = Type.Union([Type.String({ maxLength: 200 }), Type.Null()])

export const DeclarationSchema = closed({
  mode: Type.Union([Type.Literal('replica'), Type.Literal('database')], {
    description: 'Whether it decides from a replica in its memory, or asks for each token'
  }),
  dataSet: NullableTextSchema,
  leaseMs: Type.Integer({ minimum: 100, maximum: 5_000 }),
  epoch: EpochSchema
})

export const ConfirmationSchema = closed({
  epoch: EpochSchema,
  applied: Type.Optional(HorizonSchema)
})

export const SightingSchema = closed({
  mode: Type.Union([Type.Literal('replica'), Type.Literal('redis'), Type.Literal('database')]),
  dataSet: NullableTextSchema,
  epoch: Type.Integer(),
  current: NullableTextSchema
})

const CursorSchema = closed({
  liveUntilUs: Type.Integer({
    minimum: 0,
    maximum: Number.MAX_SAFE_INTEGER,
    description: 'Microseconds since the epoch'
  }),
  sequence: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })
})

export const LogQuerySchema = closed({
  since: Type.Optional(HorizonSchema),
  after: Type.Optional(CursorSchema)
})

const EventSchema = Type.Union([
  closed({
    kind: Type.Union([Type.Literal('token'), Type.Literal('session')]),
    target: UuidSchema,
    liveUntil: InstantMsSchema
  }),
  closed({
    kind: Type.Literal('user'),
    target: UuidSchema,
    level: LevelSchema,
    liveUntil: InstantMsSchema
  }),
  closed({ kind: Type.Literal('everyone'), level: LevelSchema })
])

export const LogPageSchema = closed({
  generation: LevelSchema,
  dataSet: NullableTextSchema,
  horizon: HorizonSchema,
  events: Type.Array(EventSchema),
  next: Type.Union([CursorSchema, Type.Null()])
})
