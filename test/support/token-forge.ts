import { constants, createHmac, sign, type KeyObject } from 'node:crypto'
import type { AccessClaims } from '../../src/tokens/claims.js'
import type { ActiveKey } from '../../src/tokens/key-ring.js'

/** Names and values of a JSON object as they are to be written: duplicates, odd numbers and all. */
export type Members = readonly (readonly [name: string, text: string])[]

/** What a segment is made of: a text or bytes as they are, or members in their order. */
export type SegmentSource = string | Buffer | Members

/**
 * Makes tokens by hand, with genuine signatures over whatever it is told to sign. It shares no code with the
 * service: node:crypto signs, and JSON is put together as text.
 */
export interface Forge {
  readonly key: ActiveKey
  readonly claims: AccessClaims
  readonly ttlSeconds: number
  readonly header: Members
  readonly payload: Members
  /** The token that all mutations start from. */
  readonly genuine: string
  readonly token: (header: SegmentSource, payload: SegmentSource) => string
  /** Signs two segments that are already encoded. */
  readonly signed: (header: string, payload: string) => string
}

export interface ForgeMaterial {
  readonly key: ActiveKey
  readonly claims: AccessClaims
  /** The access token lifetime of the service that will be tried. */
  readonly ttlSeconds: number
}

export function createForge({ key, claims, ttlSeconds }: ForgeMaterial): Forge {
  const header = membersOf({ alg: key.algorithm, typ: 'at+jwt', kid: key.kid })
  const payload = membersOf(claims)
  const signed = (headerSegment: string, payloadSegment: string) => {
    const input = `${headerSegment}.${payloadSegment}`
    return `${input}.${signatureOf(key.algorithm, key.signWith, input)}`
  }
  const token = (head: SegmentSource, body: SegmentSource) => signed(encode(head), encode(body))
  return {
    key,
    claims,
    ttlSeconds,
    header,
    payload,
    genuine: token(header, payload),
    token,
    signed
  }
}

export function membersOf(object: object): Members {
  return Object.entries(object).map(([name, value]) => [name, JSON.stringify(value)])
}

/** The members with one of them set to another text, or taken out. */
export function withMember(members: Members, name: string, text: string | undefined): Members {
  const others = members.filter(([present]) => present !== name)
  return text === undefined ? others : [...others, [name, text]]
}

export function encode(source: SegmentSource): string {
  if (Buffer.isBuffer(source)) return source.toString('base64url')
  const text = typeof source === 'string' ? source : toJsonText(source)
  return Buffer.from(text).toString('base64url')
}

/** Names are quoted as they are, so that a name may contain escapes. */
export function toJsonText(members: Members): string {
  return `{${members.map(([name, text]) => `"${name}":${text}`).join(',')}}`
}

/** The signature of any JWS algorithm (RFC 7518 §3.1), those that the service does not speak included. */
export function signatureOf(algorithm: string, key: KeyObject | Buffer, input: string): string {
  const data = Buffer.from(input)
  const digest = `sha${algorithm.slice(2)}`
  if (algorithm.startsWith('HS')) return createHmac(digest, key).update(data).digest('base64url')
  if (Buffer.isBuffer(key)) throw new TypeError('Only HMAC signs with bytes')
  if (algorithm === 'EdDSA') return sign(null, data, key).toString('base64url')
  if (algorithm.startsWith('ES')) {
    return sign(digest, data, { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')
  }
  const padding = algorithm.startsWith('PS')
    ? constants.RSA_PKCS1_PSS_PADDING
    : constants.RSA_PKCS1_PADDING
  return sign(digest, data, { key, padding }).toString('base64url')
}
