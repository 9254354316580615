import { randomBytes } from 'node:crypto'

const counterMax = 0xfff
const maxMs = 2 ** 48 - 1

let lastMs = -1
let counter = 0

/**
 * A UUIDv7 for an event of this moment. The moment is the event's own and not that of some other
 * clock, so that a range of times is a range of ids. Within a millisecond the ids of one process
 * rise, until the counter is used up (RFC 9562 §6.2, method 1).
 */
export function newEventId(now: Date): string {
  const ms = now.getTime()
  counter = ms === lastMs ? Math.min(counter + 1, counterMax) : 0
  lastMs = ms
  const random = randomBytes(8).toString('hex')
  // The variant is 0b10: with two random bits one of 8, 9, a, b.
  const variant = ((Number.parseInt(random.slice(0, 1), 16) & 3) | 8).toString(16)
  const rest = `${variant}${random.slice(1, 4)}-${random.slice(4)}`
  return `${timeOf(ms)}-7${counter.toString(16).padStart(3, '0')}-${rest}`
}

/** No event of this moment or later has a smaller id, and none from before it has a larger one. */
export function firstEventId(from: Date): string {
  return `${timeOf(from.getTime())}-0000-0000-000000000000`
}

/** The first 48 bits: milliseconds since the epoch. What they can't hold is before or after all events. */
function timeOf(ms: number): string {
  const hex = Math.min(Math.max(ms, 0), maxMs).toString(16).padStart(12, '0')
  return `${hex.slice(0, 8)}-${hex.slice(8)}`
}
