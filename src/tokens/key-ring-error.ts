/**
 * Key material that cannot be used. The message is a sentence for the operator: which key, by its kid or its
 * position, and what to do. It never contains key material, and there is no cause, because the errors of
 * parsers quote what they read.
 */
export class KeyRingError extends Error {
  override readonly name = 'KeyRingError'
}
