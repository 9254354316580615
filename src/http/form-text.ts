const forbiddenCharacters = /\0/u

/**
 * Decodes one name or value of application/x-www-form-urlencoded; undefined where an escape is cut
 * off, what was escaped is not UTF-8, or there is NUL, which Postgres cannot store.
 */
export function decodeFormText(text: string): string | undefined {
  try {
    const decoded = decodeURIComponent(text.replaceAll('+', ' '))
    return forbiddenCharacters.test(decoded) ? undefined : decoded
  } catch {
    return undefined
  }
}
