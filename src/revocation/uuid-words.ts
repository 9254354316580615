/** As many 32-bit words as a UUID has. */
export const wordsPerUuid = 4

const canonical = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** Whether the text is a UUID in the one form that ids have here, lower-case (RFC 9562 §4). */
export function isUuid(text: string): boolean {
  return canonical.test(text)
}

/**
 * Reads a UUID into the first four words. This runs for every request, and to look whether each character is a digit
 * would double its time: other texts of its length give words as well. Where the words lead to something, ask
 * `isUuid` whether the text meant it.
 *
 * @returns false, with the words as they were, where the text has another length
 */
export function readUuid(text: string, words: Uint32Array): boolean {
  if (text.length !== 36) return false
  words[0] = (fourDigits(text, 0) << 16) | fourDigits(text, 4)
  words[1] = (fourDigits(text, 9) << 16) | fourDigits(text, 14)
  words[2] = (fourDigits(text, 19) << 16) | fourDigits(text, 24)
  words[3] = (fourDigits(text, 28) << 16) | fourDigits(text, 32)
  return true
}

function fourDigits(text: string, at: number): number {
  return (
    (digit(text, at) << 12) |
    (digit(text, at + 1) << 8) |
    (digit(text, at + 2) << 4) |
    digit(text, at + 3)
  )
}

/** 0x30 is '0' and 0x61 is 'a': letters have the bit 0x40, and begin at 1. */
function digit(text: string, at: number): number {
  const code = text.charCodeAt(at)
  return (code & 15) + 9 * (code >> 6)
}

/** The UUID whose four words begin at `at`. */
export function writeUuid(words: Uint32Array, at: number): string {
  let hex = ''
  for (let index = 0; index < wordsPerUuid; index++) {
    hex += (words[at + index] ?? 0).toString(16).padStart(8, '0')
  }
  const parts = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20)]
  return `${parts.join('-')}-${hex.slice(20)}`
}
