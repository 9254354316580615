/** The longest password there is, in code points: hashing must not become a way to spend our time. */
export const maxPasswordLength = 256

export type NormalisedPassword =
  | { readonly kind: 'usable'; readonly password: string; readonly length: number }
  | { readonly kind: 'unusable'; readonly reason: 'too-long' | 'forbidden-character' }

/**
 * The form in which a password is checked, hashed and verified: NFC and nothing else, so that the
 * same letters typed on different keyboards are the same password (NIST SP 800-63B-4 §3.1.1.2).
 * No trimming, no change of case. `length` counts code points.
 *
 * Unusable are NUL, at which bcrypt stops reading, and lone surrogates, which UTF-8 cannot carry:
 * different passwords would become equal.
 */
export function normalisePassword(raw: string): NormalisedPassword {
  if (/[\0\p{Surrogate}]/u.test(raw)) return { kind: 'unusable', reason: 'forbidden-character' }
  const password = raw.normalize('NFC')
  const length = Array.from(password).length
  if (length > maxPasswordLength) return { kind: 'unusable', reason: 'too-long' }
  return { kind: 'usable', password, length }
}
