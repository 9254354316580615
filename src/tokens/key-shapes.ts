import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto'

const pemHeader = /-----\s*BEGIN|BEGIN [A-Z0-9 ]*(?:KEY|CERTIFICATE)/i
const sshKeyType = /ssh-(?:rsa|dss|ed25519)|ecdsa-sha2-nistp|@openssh\.com/i
const jwkMember = /kty\\*["']/
const base64 = /^[A-Za-z0-9+/_-]{8,}={0,2}$/
const hex = /^(?:[0-9a-f]{2})+$/i
/** A base64 of a base64 of a key is found; deeper wrappings are nobody's mistake. */
const maxUnwrappings = 3

/**
 * Whether a would-be HMAC secret is really a key document: PEM, DER, JWK, JWK set or ssh key, as it is or
 * wrapped in JSON, base64 or hex. Such a value is public, or has a public half, and whoever knows it could
 * sign tokens (RFC 8725 §2.1, §3.1).
 */
export function looksLikeKeyDocument(bytes: Buffer, unwrappings = 0): boolean {
  const text = bytes
    .toString('utf8')
    .replace(/^\uFEFF/, '')
    .trim()
  // A string cannot carry DER as UTF-8; where someone tried, its code points are the bytes.
  if (parsesAsDer(bytes) || parsesAsDer(Buffer.from(text, 'latin1'))) return true
  if (pemHeader.test(text) || sshKeyType.test(text) || jwkMember.test(text)) return true
  const json = parseJson(text)
  if (typeof json === 'object' && json !== null) return true
  if (unwrappings === maxUnwrappings) return false
  return unwrap(text, json).some((inner) => looksLikeKeyDocument(inner, unwrappings + 1))
}

function unwrap(text: string, json: unknown): Buffer[] {
  const compact = text.replace(/\s/g, '')
  const inner: Buffer[] = []
  if (typeof json === 'string') inner.push(Buffer.from(json))
  if (base64.test(compact)) inner.push(Buffer.from(compact, 'base64'))
  if (hex.test(compact)) inner.push(Buffer.from(compact, 'hex'))
  return inner
}

function parsesAsDer(key: Buffer): boolean {
  // Every key and certificate is an ASN.1 SEQUENCE; this spares random secrets the parsers.
  if (key[0] !== 0x30) return false
  const format = 'der'
  const parsers = [
    () => createPublicKey({ key, format, type: 'spki' }),
    () => createPublicKey({ key, format, type: 'pkcs1' }),
    () => createPrivateKey({ key, format, type: 'pkcs8' }),
    () => createPrivateKey({ key, format, type: 'pkcs1' }),
    () => createPrivateKey({ key, format, type: 'sec1' }),
    () => new X509Certificate(key)
  ]
  return parsers.some(succeeds)
}

function succeeds(parse: () => unknown): boolean {
  try {
    parse()
    return true
  } catch {
    return false
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
