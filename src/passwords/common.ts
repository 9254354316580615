import { dictionary } from '@zxcvbn-ts/language-common'

/**
 * Makes strings comparable without case, beyond ASCII too. Upper case first: it takes `ſ` to `S` and
 * both sigmas to `Σ`, which lower-casing alone leaves apart. `İ` ends as `i` and a combining dot,
 * which is dropped.
 */
export function foldCase(text: string): string {
  return text.toUpperCase().toLowerCase().replaceAll('i\u0307', 'i').normalize('NFC')
}

const commonPasswords = new Set(dictionary['passwords-common'].map(foldCase))

/** Whether the password is one of some 49,000 that attackers try first (OWASP ASVS 5.0 6.2.4). */
export function isCommonPassword(password: string): boolean {
  return commonPasswords.has(foldCase(password))
}
