import { randomFillSync } from 'node:crypto'
import { wordsPerUuid } from './uuid-words.js'

const valuesPerByte = 256

/** One random word for each value of each byte, new in every process. */
const randomWords = randomFillSync(new Int32Array(wordsPerUuid * 4 * valuesPerByte))

/**
 * 32 well mixed bits of the UUID whose four words begin at `at`, by simple tabulation hashing. UUIDs of one time
 * share their first bytes, and whoever makes ids may give them any other pattern; as they cannot know the random
 * words, no choice of ids makes more of them meet than chance does. It is good enough for linear probing
 * (Pătraşcu and Thorup, "The Power of Simple Tabulation Hashing", 2012).
 */
export function hashUuid(uuid: Uint32Array, at: number): number {
  let hash = 0
  let place = 0
  for (let index = 0; index < wordsPerUuid; index++) {
    const word = uuid[at + index] ?? 0
    for (let shift = 0; shift < 32; shift += 8) {
      hash ^= randomWords[place + ((word >>> shift) & 255)] ?? 0
      place += valuesPerByte
    }
  }
  return hash
}
