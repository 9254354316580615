/** A place in a stream of Redis, `milliseconds-number`. */
export type StreamPlace = `${number}-${number}`

/** Before every entry. */
export const streamStart: StreamPlace = '0-0'

export function isStreamPlace(text: string): text is StreamPlace {
  return /^\d{1,15}-\d{1,15}$/.test(text)
}

/** Whether a reader that has applied the stream up to `place` has applied what stands at `other`. */
export function reaches(place: StreamPlace, other: StreamPlace): boolean {
  const [ms, number] = partsOf(place)
  const [otherMs, otherNumber] = partsOf(other)
  return ms > otherMs || (ms === otherMs && number >= otherNumber)
}

function partsOf(place: StreamPlace): [number, number] {
  const [ms, number] = place.split('-')
  return [Number(ms), Number(number)]
}
