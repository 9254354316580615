import { looksLikeKeyDocument } from './key-shapes.js'

/** RFC 7518 §3.2: a key of the size of the hash output or larger. */
export const minSecretBytes = 32
const advice = 'use the output of: openssl rand -base64 48'

/** Fragments of tutorial and template secrets, spelt without punctuation. */
const placeholders =
  /changeme|changethis|changein(?:prod|production)|replaceme|replacethis|yoursecret|yourjwt|yoursuper|your256bit|yoursecure|supersecretkey|mysecretkey|secretkeyhere|256bitslong/
/** A secret of nothing but these words is a sentence about a secret. */
const placeholderWords =
  /^(?:secret|password|passwd|passphrase|jwt|hmac|auth|access|refresh|api|app|key|token|your|my|our|the|a|an|is|this|very|super|really|extremely|long|strong|secure|safe|random|string|value|please|change|me|to|in|for|production|prod|default|example|sample|placeholder|insert|put|here|at|least|of|and|or|with|min|minimum|characters|chars|bits?|bytes?|32|64|128|256|512|123|1234|12345|123456|keycard)+$/

/**
 * What is wrong with an HMAC secret, as the rest of a sentence ("is shorter than …: do …"), or undefined when
 * it will do. Hex and padded base64 count by the bytes they stand for. Never quotes the secret.
 */
export function secretFault(secret: string | Buffer): string | undefined {
  const bytes = Buffer.from(secret)
  if (looksLikeKeyDocument(bytes)) {
    return `looks like a key document (PEM, DER, JWK or ssh), which others may know: ${advice}`
  }
  const decoded = decode(bytes)
  if (decoded.length < minSecretBytes) {
    return `is shorter than ${String(minSecretBytes)} bytes (hex and base64 count decoded): ${advice}`
  }
  if (decoded.every((byte) => byte === decoded[0])) return `repeats one character: ${advice}`
  const letters = bytes
    .toString('utf8')
    .toLowerCase()
    .replace(/[^a-z0-9]/g, '')
  if (placeholders.test(letters) || isSentence(letters, bytes)) {
    return `is a placeholder from a template or tutorial: ${advice}`
  }
  return undefined
}

/** Two letters that happen to stand in a random secret are no sentence. */
function isSentence(letters: string, bytes: Buffer): boolean {
  return letters.length * 2 >= bytes.length && placeholderWords.test(letters)
}

function decode(bytes: Buffer): Buffer {
  const text = bytes.toString('latin1')
  if (/^(?:[0-9a-f]{2})+$/i.test(text)) return Buffer.from(text, 'hex')
  if (/^[A-Za-z0-9+/_-]+={1,2}$/.test(text)) return Buffer.from(text, 'base64')
  return bytes
}
