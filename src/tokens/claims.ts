import Type, { type Static } from 'typebox'
import { Compile } from 'typebox/compile'

/** Ids are UUIDs in the canonical lower-case form (RFC 9562 §4): one id has one spelling. */
const UuidSchema = Type.String({
  pattern: '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$'
})

/** A count or a time that every JSON reader reads alike: 1e999 or 2^53 would not survive another parser. */
const WholeNumberSchema = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })

const StringsSchema = Type.Immutable(Type.Array(Type.String()))

/**
 * What an access token says. Nothing personal: no e-mail address, no name.
 *
 * - iss, aud: who issued it, and for whom (RFC 7519 §4.1.1, §4.1.3)
 * - sub: the user; sid: the session; jti: this token
 * - iat, exp: seconds since the epoch
 * - ver: the user's token version at issue; gen: the global generation at issue
 * - roles: the user's roles at issue
 */
export const AccessClaimsSchema = Type.ReadonlyObject(
  Type.Object({
    iss: Type.String(),
    aud: Type.Union([Type.String(), StringsSchema]),
    sub: UuidSchema,
    sid: UuidSchema,
    jti: UuidSchema,
    iat: WholeNumberSchema,
    exp: WholeNumberSchema,
    ver: WholeNumberSchema,
    gen: WholeNumberSchema,
    roles: StringsSchema
  })
)

export type AccessClaims = Static<typeof AccessClaimsSchema>

const PayloadSchema = Type.Object({
  ...AccessClaimsSchema.properties,
  nbf: Type.Optional(WholeNumberSchema)
})

const payloadValidator = Compile(PayloadSchema)
const claimValidators = Object.entries(PayloadSchema.properties).map(([name, schema]) => ({
  name,
  validator: Compile(schema)
}))

export type ParsedClaims =
  { kind: 'claims'; claims: AccessClaims; notBefore: number } | { kind: 'refused'; claim: string }

/**
 * Reads the payload of a token, or of one about to be minted. The claims come back as a deeply frozen copy
 * of exactly the documented members; others are ignored, as RFC 7519 §4 asks, so that nodes of two releases
 * can run side by side. `notBefore` is nbf in seconds since the epoch, 0 where there is none. A refusal names
 * the first wrong claim, never its value.
 */
export function parseClaims(payload: Readonly<Record<string, unknown>>): ParsedClaims {
  if (!payloadValidator.Check(payload)) return { kind: 'refused', claim: firstWrongClaim(payload) }
  const { iss, aud, sub, sid, jti, iat, exp, ver, gen, roles, nbf = 0 } = payload
  const claims = Object.freeze({
    iss,
    aud: typeof aud === 'string' ? aud : Object.freeze([...aud]),
    sub,
    sid,
    jti,
    iat,
    exp,
    ver,
    gen,
    roles: Object.freeze([...roles])
  })
  return { kind: 'claims', claims, notBefore: nbf }
}

function firstWrongClaim(payload: Readonly<Record<string, unknown>>): string {
  const wrong = claimValidators.find(({ name, validator }) => !validator.Check(payload[name]))
  return wrong?.name ?? 'nbf'
}
