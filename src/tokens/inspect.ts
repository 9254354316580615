import { isUtf8 } from 'node:buffer'
import { parseStrictJsonObject, type JsonObject } from './strict-json.js'

/** A token is refused unread beyond this many characters, so that no sender can buy CPU with length. */
export const maxTokenLength = 4096
const maxKidLength = 128
const accessTokenType = /^(?:application\/)?at\+jwt$/i
const headerMembers = new Set(['alg', 'typ', 'kid'])

/** Why a token is not even worth a signature check. Constants, safe to log. */
export type StructureFault =
  | 'not-a-string'
  | 'too-long'
  | 'not-three-segments'
  | 'not-base64url'
  | 'not-utf8'
  | 'not-a-json-object'
  | 'duplicate-member'
  | 'reserved-member'
  | 'odd-number'
  | 'unexpected-header'
  | 'header-alg'
  | 'header-typ'
  | 'header-kid'

export type Inspection =
  | { kind: 'well-formed'; algorithm: string; kid: string; payload: JsonObject }
  | { kind: 'malformed'; fault: StructureFault }

/**
 * Looks at the form of an access token before any signature work, and trusts nothing it reads: a JWS in
 * compact form (RFC 7515 §7.1) whose header has exactly alg, typ and kid. Every extension (crit, b64, zip, cty)
 * and every key or key address inside the token (jwk, jku, x5u, x5c) is refused (RFC 8725 §3.10).
 */
export function inspectToken(token: unknown): Inspection {
  if (typeof token !== 'string') return malformed('not-a-string')
  if (token.length > maxTokenLength) return malformed('too-long')
  const segments = token.split('.', 4)
  const [headerSegment, payloadSegment, signatureSegment] = segments
  if (segments.length !== 3 || !headerSegment || !payloadSegment || !signatureSegment) {
    return malformed('not-three-segments')
  }
  if (decodeBase64url(signatureSegment) === undefined) return malformed('not-base64url')
  const header = readSegment(headerSegment)
  if (header.kind !== 'object') return malformed(header.fault)
  const payload = readSegment(payloadSegment)
  if (payload.kind !== 'object') return malformed(payload.fault)
  return inspectHeader(header.value, payload.value)
}

function inspectHeader(header: JsonObject, payload: JsonObject): Inspection {
  for (const name of Object.keys(header)) {
    if (!headerMembers.has(name)) return malformed('unexpected-header')
  }
  const { alg, typ, kid } = header
  if (typeof alg !== 'string') return malformed('header-alg')
  if (typeof typ !== 'string' || !accessTokenType.test(typ)) return malformed('header-typ')
  if (typeof kid !== 'string' || kid.length === 0 || kid.length > maxKidLength) {
    return malformed('header-kid')
  }
  return { kind: 'well-formed', algorithm: alg, kid, payload }
}

type Segment = { kind: 'object'; value: JsonObject } | { kind: 'fault'; fault: StructureFault }

function readSegment(segment: string): Segment {
  const bytes = decodeBase64url(segment)
  if (bytes === undefined) return { kind: 'fault', fault: 'not-base64url' }
  if (!isUtf8(bytes)) return { kind: 'fault', fault: 'not-utf8' }
  return parseStrictJsonObject(bytes.toString('utf8'))
}

/**
 * Node decodes leniently: it skips foreign characters, accepts padding and the other base64 alphabet, and drops
 * surplus bits. Only what encodes back to itself is the one canonical spelling (RFC 4648 §3.3, §3.5).
 */
function decodeBase64url(segment: string): Buffer | undefined {
  const bytes = Buffer.from(segment, 'base64url')
  return bytes.toString('base64url') === segment ? bytes : undefined
}

function malformed(fault: StructureFault): Inspection {
  return { kind: 'malformed', fault }
}
