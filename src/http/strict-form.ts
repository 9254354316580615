import { decodeFormText } from './form-text.js'

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export type FormReading =
  | { readonly kind: 'value'; readonly value: Readonly<Record<string, string>> }
  | { readonly kind: 'refused'; readonly reason: string }

const refused = (reason: string): FormReading => ({ kind: 'refused', reason })

/**
 * Reads application/x-www-form-urlencoded as OAuth has it (RFC 6749 §3.2 and appendix B): in UTF-8,
 * no parameter twice, and one without a value as if it were not there.
 *
 * @returns the reason in words for the caller
 */
export function readStrictForm(bytes: Uint8Array): FormReading {
  let text: string
  try {
    text = utf8.decode(bytes)
  } catch {
    return refused('The body is not valid UTF-8.')
  }
  const parameters = new Map<string, string>()
  for (const pair of text.split('&')) {
    if (pair === '') continue
    const equals = pair.indexOf('=')
    const name = decodeFormText(equals < 0 ? pair : pair.slice(0, equals))
    const value = equals < 0 ? '' : decodeFormText(pair.slice(equals + 1))
    if (name === undefined || value === undefined) {
      return refused('The body contains an escape that is not UTF-8, or a NUL character.')
    }
    if (parameters.has(name)) return refused('The body contains a repeated parameter.')
    parameters.set(name, value)
  }
  const present = [...parameters].filter(([, value]) => value !== '')
  return { kind: 'value', value: Object.fromEntries(present) }
}
