/**
 * The form in which an e-mail address is compared, counted and kept: NFC, lower case. No provider's
 * private rules (dots, plus tags): two addresses that a provider tells apart stay two accounts.
 */
export function canonicalEmail(email: string): string {
  return email.normalize('NFC').toLowerCase()
}
