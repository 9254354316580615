import { type TSchema, Type } from 'typebox'
import { uuidPattern } from '../uuid.js'

/** An object that takes these fields and no others. */
export const closed = <T extends Record<string, TSchema>>(properties: T) =>
  Type.Object(properties, { additionalProperties: false })

export const UuidSchema = Type.String({
  pattern: uuidPattern.source,
  description: 'A UUID in lower case'
})

export const InstantSchema = Type.String({ format: 'date-time', description: 'ISO 8601, UTC' })

export const EmailSchema = Type.String({ format: 'email', maxLength: 254 })

export const NameSchema = Type.String({
  minLength: 1,
  maxLength: 200,
  pattern: '^(?=.*\\S)[^\\p{Cc}\\u202a-\\u202e\\u2066-\\u2069]*$',
  description: 'Not blank; without control characters and those that turn the direction of text'
})

/** Only the type is checked here: what a new password must be is decided where it is set. */
export const PasswordSchema = Type.String({ description: 'Up to 256 characters' })

export const TokenDeliverySchema = Type.Union([Type.Literal('cookie'), Type.Literal('body')], {
  default: 'cookie',
  description:
    'Where the refresh token goes: an HttpOnly cookie, or the body for clients without cookies'
})

export const UserSchema = closed({
  id: UuidSchema,
  email: Type.String(),
  name: Type.String(),
  roles: Type.Array(Type.String()),
  emailVerified: Type.Boolean(),
  createdAt: InstantSchema
})

export const UserAnswerSchema = closed({ user: UserSchema })

export const TokenAnswerSchema = closed({
  accessToken: Type.String(),
  tokenType: Type.Literal('Bearer'),
  expiresIn: Type.Integer({ description: 'Seconds until the access token expires' }),
  sessionId: UuidSchema,
  refreshToken: Type.Optional(Type.String())
})

export const LoginAnswerSchema = closed({ user: UserSchema, ...TokenAnswerSchema.properties })

export const SessionSchema = closed({
  id: UuidSchema,
  current: Type.Boolean({ description: 'Whether it is the one that asks' }),
  createdAt: InstantSchema,
  lastUsedAt: InstantSchema,
  expiresAt: InstantSchema,
  ip: Type.String(),
  userAgent: Type.Union([Type.String(), Type.Null()])
})

export const SessionListSchema = closed({ sessions: Type.Array(SessionSchema) })

/** Why an operator does something. */
export const ReasonSchema = Type.String({
  minLength: 1,
  maxLength: 500,
  pattern: '\\S',
  description: 'Not blank'
})

export const ReceiptSchema = closed({
  revocationId: UuidSchema,
  acknowledgedAt: InstantSchema,
  guarantee: Type.Union([
    Type.Literal('applied'),
    Type.Literal('lease-expired'),
    Type.Literal('database')
  ]),
  nodes: Type.Array(
    closed({ id: UuidSchema, appliedAfterMs: Type.Union([Type.Integer(), Type.Null()]) })
  )
})
