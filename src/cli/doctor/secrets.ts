import { type Check, type Finding, finder } from './finding.js'
import { guessBits } from './guessability.js'

/** By the names that people know them by; undefined where there is none. */
export type Secrets = Readonly<Record<string, string | undefined>>

/** RFC 2104 §3, NIST SP 800-57: what a key of 128 bits takes is out of reach. */
const leastBits = 128
/** Two secrets that were made at random don't have so much in common. */
const sharedCharacters = 12

/** One purpose for each secret: who learns one must not hold another, nor most of it. */
export const distinctness: Check<Secrets> = (secrets) => {
  const given = Object.entries(secrets).filter(isGiven)
  for (const [index, [name, secret]] of given.entries()) {
    for (const [owner, other] of given.slice(0, index)) {
      const found = kinship(secret, other)
      if (found === undefined) continue
      return finder('secrets').error(
        `${name} ${found} ${owner}.`,
        'Give each its own: openssl rand -base64 48.'
      )
    }
  }
  return undefined
}

const isGiven = (entry: [string, string | undefined]): entry is [string, string] => !!entry[1]

function kinship(secret: string, other: string): string | undefined {
  if (secret === other) return 'is the same as'
  const [a, b] = [secret.toLowerCase(), other.toLowerCase()]
  return haveInCommon(a, b, sharedCharacters) ? 'has a part in common with' : undefined
}

function haveInCommon(text: string, other: string, length: number): boolean {
  const parts = Array.from({ length: Math.max(0, text.length - length + 1) }, (_, start) =>
    text.slice(start, start + length)
  )
  return parts.some((part) => other.includes(part))
}

/** Those that can be guessed, which whoever tries may do without asking anybody. */
export function guessable(keys: Secrets): Finding[] {
  return Object.entries(keys)
    .filter(isGiven)
    .filter(([, key]) => guessBits(key) < leastBits)
    .map(([name]) =>
      finder(checkOf(name)).error(
        `${name} is made of words, repetitions or sequences, and can be guessed.`,
        'Make it with: openssl rand -base64 48.'
      )
    )
}

/** A variable by its name; anything else is one of the secrets. */
const checkOf = (name: string): string => (name.includes(' ') ? 'secrets' : name)
