export type JsonObject = Readonly<Record<string, unknown>>

export type StrictJson =
  | { kind: 'object'; value: JsonObject }
  | {
      kind: 'fault'
      fault: 'not-a-json-object' | 'duplicate-member' | 'reserved-member' | 'odd-number'
    }

/** Names that reach an object's prototype when such an object is copied carelessly. */
const reservedNames = new Set(['__proto__', 'constructor', 'prototype'])

/**
 * Parses a JSON object that any two parsers read alike. Refused at every level: member names that occur twice in
 * one object (RFC 7519 §4: JavaScript keeps the last, others the first), names that pollute prototypes, and
 * numbers with a sign, a fraction or an exponent (no token of ours has one; readers round and overflow them
 * differently). A byte order mark is not JSON (RFC 8259 §8.1).
 */
export function parseStrictJsonObject(text: string): StrictJson {
  const value = parseJson(text)
  if (!isJsonObject(value)) return { kind: 'fault', fault: 'not-a-json-object' }
  const written = surveyText(text)
  if (written.oddNumber) return { kind: 'fault', fault: 'odd-number' }
  const kept = surveyValue(value)
  if (kept.reservedName) return { kind: 'fault', fault: 'reserved-member' }
  if (kept.members !== written.members) return { kind: 'fault', fault: 'duplicate-member' }
  return { kind: 'object', value }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const stringLiterals = /"(?:[^"\\]|\\.)*"/g
const signFractionOrExponent = /[-.]|\d[eE]/

/**
 * Counts the members in a text that is known to be valid JSON: outside of strings, a colon stands nowhere but
 * after a member's name. JSON.parse drops all but one of several equal names, escaped spellings included, so
 * fewer members in its result than in the text means that there were duplicates.
 */
function surveyText(text: string): { members: number; oddNumber: boolean } {
  const skeleton = text.replace(stringLiterals, '')
  return {
    members: skeleton.split(':').length - 1,
    oddNumber: signFractionOrExponent.test(skeleton)
  }
}

function surveyValue(root: JsonObject): { members: number; reservedName: boolean } {
  let members = 0
  let reservedName = false
  // A stack of its own: nesting as deep as the token is long must not exhaust the call stack.
  const pending: object[] = [root]
  for (let value = pending.pop(); value !== undefined; value = pending.pop()) {
    if (!Array.isArray(value)) {
      const names = Object.keys(value)
      members += names.length
      reservedName ||= names.some((name) => reservedNames.has(name))
    }
    const inners: unknown[] = Object.values(value)
    for (const inner of inners) {
      if (typeof inner === 'object' && inner !== null) pending.push(inner)
    }
  }
  return { members, reservedName }
}
