import { resolve } from 'node:path'
import { minSecretBytes, secretFault } from '../tokens/secret-strength.js'
import { parseDurationMs } from './duration.js'
import type { RateLimit } from './rate-limits.js'
import { reader, value, wrong } from './reading.js'
import type { Read } from './reading.js'

/**
 * One of a list of words.
 *
 * @param planned words that are understood but not served yet
 */
export function choice<const T extends string>(
  words: readonly T[],
  planned: readonly string[] = []
): Read<T> {
  const allowed = words.join(', ')
  return (text) => {
    const word = words.find((known) => known === text)
    if (word !== undefined) return value(word)
    return wrong(
      planned.includes(text) ? `${allowed} (this release does not have ${text} yet)` : allowed
    )
  }
}

export function integer(min: number, max: number): Read<number> {
  return reader(`a whole number from ${min} to ${max}`, (text) => {
    const number = /^(?:0|[1-9]\d{0,8})$/.test(text) ? Number(text) : Number.NaN
    return number >= min && number <= max ? number : undefined
  })
}

/** A duration in milliseconds, between two others. */
export function milliseconds(min: string, max: string): Read<number> {
  return duration(min, max, 1, 'a duration')
}

/** A duration in whole seconds, between two others. */
export function seconds(min: string, max: string): Read<number> {
  return duration(min, max, 1000, 'a duration of whole seconds')
}

function duration(min: string, max: string, unitMs: number, what: string): Read<number> {
  const [minMs = 0, maxMs = 0] = [parseDurationMs(min), parseDurationMs(max)]
  return reader(`${what} from ${min} to ${max} (units: ms, s, m, h, d)`, (text) => {
    const ms = parseDurationMs(text)
    const isAllowed = ms !== undefined && ms >= minMs && ms <= maxMs && ms % unitMs === 0
    return isAllowed ? ms / unitMs : undefined
  })
}

/** Requests per window, as in `30/1m`. */
export const rateLimit: Read<RateLimit> = reader(
  'requests/window, such as 30/1m: a whole number from 1 and a duration from 1s to 1d',
  (text) => {
    const [count = '', window = '', ...rest] = text.split('/')
    const max = integer(1, 1_000_000)(count)
    const windowMs = milliseconds('1s', '1d')(window)
    if (max.kind === 'wrong' || windowMs.kind === 'wrong' || rest.length > 0) return undefined
    return { max: max.value, windowMs: windowMs.value }
  }
)

export const identifier: Read<string> = reader(
  'text of at most 255 characters, without control characters',
  (text) => (text.length <= 255 && !/\p{Cc}/u.test(text) ? text : undefined)
)

/** RFC 7518 §3.2 for HS256; the same for the refresh tokens' MAC. */
export const secret: Read<string> = (text) => {
  const fault = secretFault(text)
  if (fault === undefined) return value(text)
  return wrong(`at least ${minSecretBytes} random bytes; this secret ${fault}`)
}

/** Whatever it is: the policy of passwords is applied where the account is made. */
export const password: Read<string> = value

export const path: Read<string> = reader('the path of a file or folder', (text) =>
  text.includes('\0') ? undefined : resolve(text)
)

export const email: Read<string> = reader('an e-mail address', (text) =>
  text.length <= 254 && /^[^\s@]+@[^\s@]+$/.test(text) ? text : undefined
)
