/** Nothing that the API takes is nested nearly as deep. */
const depthLimit = 32

const forbiddenCharacters = /\0|\p{Surrogate}/u
const forbiddenNames = new Set(['__proto__', 'constructor'])

const tokens = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],:]/gu
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export type JsonReading =
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'refused'; readonly reason: string; readonly cause?: unknown }

const refused = (reason: string, cause?: unknown): JsonReading => ({
  kind: 'refused',
  reason,
  cause
})

/**
 * Reads JSON that every parser understands in the same way: RFC 8259 in UTF-8 without a byte order
 * mark (§8.1), narrowed to I-JSON (RFC 7493): no name twice in one object (§2.3), no unpaired
 * surrogates (§2.1), which would collapse into U+FFFD. Also refused are NUL, which Postgres cannot
 * store, the names that pollute prototypes, and extreme nesting.
 *
 * @returns the reason in words for the caller; the cause is for the log
 */
export function readStrictJson(bytes: Uint8Array): JsonReading {
  let text: string
  try {
    text = utf8.decode(bytes)
  } catch (cause) {
    return refused('The body is not valid UTF-8.', cause)
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    return refused('The body is not valid JSON.', cause)
  }
  const objection = objectionTo(text)
  return objection === undefined ? { kind: 'value', value } : refused(objection)
}

/** One open object or array; an array has no names. */
interface Level {
  readonly names: Set<string> | undefined
  expectsName: boolean
}

/** Walks the tokens of a text that JSON.parse has accepted. */
function objectionTo(text: string): string | undefined {
  const levels: Level[] = []
  for (const [token] of text.matchAll(tokens)) {
    const level = levels.at(-1)
    if (token === '{' || token === '[') {
      if (levels.length === depthLimit) return 'The body is nested too deeply.'
      const names = token === '{' ? new Set<string>() : undefined
      levels.push({ names, expectsName: names !== undefined })
    } else if (token === '}' || token === ']') {
      levels.pop()
    } else if (token === ',' && level !== undefined) {
      level.expectsName = level.names !== undefined
    } else if (token === ':' && level !== undefined) {
      level.expectsName = false
    } else {
      const objection = objectionToString(String(JSON.parse(token)), level)
      if (objection !== undefined) return objection
    }
  }
  return undefined
}

function objectionToString(value: string, level: Level | undefined): string | undefined {
  if (forbiddenCharacters.test(value)) {
    return 'The body contains a NUL character or an unpaired surrogate.'
  }
  if (level?.names === undefined || !level.expectsName) return undefined
  if (forbiddenNames.has(value)) return 'The body contains a field name that is not allowed.'
  if (level.names.has(value)) return 'The body contains an object with a repeated field.'
  level.names.add(value)
  return undefined
}
