import { parseDurationMs } from '../config/duration.js'
import { misuse } from './command-error.js'

const isoTime = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2}))?$/

/** A moment as people give it: an ISO 8601 time with its zone, a day in UTC, or an age such as `2h`. @throws CommandError */
export function momentOf(text: string): Date {
  const ageMs = parseDurationMs(text)
  const time = ageMs === undefined ? parseTime(text) : Date.now() - ageMs
  if (!Number.isNaN(time)) return new Date(time)
  throw misuse(`${text} is no time: give one such as 2026-05-01T09:30:00Z, or an age such as 2h.`)
}

function parseTime(text: string): number {
  return isoTime.test(text) ? Date.parse(text) : Number.NaN
}
