import { dictionary } from '@zxcvbn-ts/language-common'

const dicewareBits = 13
const templateBits = 8
const yearBits = 8
const shortestPart = 3
const longestWord = 20
const longestLookedAt = 256
const rows = ['1234567890', 'qwertyuiop', 'qwertzuiop', 'asdfghjkl', 'yxcvbnm', 'zxcvbnm']
const keyboard = [...rows, ...rows.map((row) => [...row].reverse().join(''))]

/** What people put into a secret that they think up. */
const template =
  'the for and use our my your secret key token auth jwt access refresh session server service prod production keycard super very long random string this that with please change'.split(
    ' '
  )

/** What it takes to guess a word, by how early attackers try it. */
const wordBits = new Map<string, number>([
  ...dictionary['diceware-common'].map((word): [string, number] => [word, dicewareBits]),
  ...dictionary['passwords-common']
    .map((word, rank): [string, number] => [word.toLowerCase(), Math.log2(rank + 2) + 1])
    .reverse(),
  ...template.map((word): [string, number] => [word, templateBits])
])

/**
 * About how many bits it takes to guess a secret by somebody who tries words, repetitions, sequences and
 * rows of the keyboard before random characters: the cheapest way to put it together from those. A random
 * one comes out at nearly what it has.
 */
export function guessBits(secret: string): number {
  const text = secret.slice(0, longestLookedAt).toLowerCase()
  const perCharacter = bitsPerCharacter(secret)
  const cheapest = [0]
  const offer = (end: number, bits: number): void => {
    cheapest[end] = Math.min(cheapest[end] ?? Infinity, bits)
  }
  for (let start = 0; start < text.length; start++) {
    const before = cheapest[start] ?? 0
    offer(start + 1, before + perCharacter)
    for (let end = start + shortestPart; end <= text.length; end++) {
      const bits = partBits(text, { start, end, perCharacter })
      // What can't be put together no longer is, longer, no part either.
      if (bits === undefined && end - start > longestWord) break
      if (bits !== undefined) offer(end, before + bits)
    }
  }
  return cheapest[text.length] ?? 0
}

function partBits(
  text: string,
  {
    start,
    end,
    perCharacter
  }: { readonly start: number; readonly end: number; readonly perCharacter: number }
): number | undefined {
  const part = text.slice(start, end)
  const isRepeated = text.indexOf(part) < start
  const place = Math.log2(text.length)
  if (isRepeated) return Math.log2(start + 1) + place
  if (isSequence(part)) return perCharacter + 1 + place
  if (/^(?:19|20)\d\d$/.test(part)) return yearBits
  if (keyboard.some((row) => row.includes(part))) return perCharacter + place
  const word = part.replace(/^[ ._-]/, '')
  const plain = wordBits.get(word)
  if (plain !== undefined) return plain + 1
  const disguised = wordBits.get(word.replaceAll(/[013457@$!]/g, (sign) => letters[sign] ?? sign))
  return disguised === undefined ? undefined : disguised + 3
}

const letters: Readonly<Record<string, string>> = {
  0: 'o',
  1: 'l',
  3: 'e',
  4: 'a',
  5: 's',
  7: 't',
  '@': 'a',
  $: 's',
  '!': 'i'
}

/** Such as `aaaa`, `abcd` and `4321`. */
function isSequence(part: string): boolean {
  const step = part.charCodeAt(1) - part.charCodeAt(0)
  if (Math.abs(step) > 1) return false
  return [...part].every(
    (_, index) => index === 0 || part.charCodeAt(index) - part.charCodeAt(index - 1) === step
  )
}

function bitsPerCharacter(secret: string): number {
  if (/^(?:[0-9a-f]+|[0-9A-F]+)$/.test(secret)) return 4
  const classes: readonly (readonly [RegExp, number])[] = [
    [/\d/, 10],
    [/[a-z]/, 26],
    [/[A-Z]/, 26],
    [/[-_+/=]/, 2],
    [/[^\w\-+/=]/, 30]
  ]
  const pool = classes.reduce((sum, [pattern, size]) => sum + (pattern.test(secret) ? size : 0), 0)
  return Math.log2(Math.max(2, pool))
}
