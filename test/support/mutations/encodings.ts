import { encode, toJsonText, type Forge, type SegmentSource } from '../token-forge.js'
import type { Mutation } from './mutation.js'

/** Tokens whose fault is in the compact form: segments, length, base64url (RFC 7515 §2, §7.1). */
export function encodingMutations(forge: Forge): Mutation[] {
  return [...segmentMutations(forge), ...lengthMutations(forge), ...base64Mutations(forge)]
}

function segmentMutations({ genuine }: Forge): Mutation[] {
  const [header = '', payload = '', signature = ''] = genuine.split('.')
  const texts: [string, string][] = [
    ['nothing', ''],
    ['one dot', '.'],
    ['two dots', '..'],
    ['three dots', '...'],
    ['a word', 'token'],
    ['undefined as a word', 'undefined'],
    ['one segment', header],
    ['two segments', `${header}.${payload}`],
    ['no signature', `${header}.${payload}.`],
    ['no payload', `${header}..${signature}`],
    ['no header', `.${payload}.${signature}`],
    ['a dot before', `.${genuine}`],
    ['a dot after', `${genuine}.`],
    ['two dots between', `${header}..${payload}.${signature}`],
    ['four segments', `${genuine}.${signature}`],
    ['five segments, as a JWE has', `${header}.${payload}.${signature}.${header}.${signature}`],
    ['two tokens', `${genuine}.${genuine}`]
  ]
  return texts.map(([name, token]) => [name, token, 'not-three-segments'])
}

function lengthMutations({ header, payload, token, genuine }: Forge): Mutation[] {
  const padded = (length: number) =>
    token(header, [...payload, ['padding', `"${'x'.repeat(length)}"`]])
  return [
    ['a genuine token of 4,200 characters', padded(3000), 'too-long'],
    ['a genuine token of 7,000 characters', padded(4500), 'too-long'],
    ['a genuine token of 140,000 characters', padded(100_000), 'too-long'],
    ['a genuine token with a long signature', genuine + 'A'.repeat(4096), 'too-long'],
    ['a header of 5,000 dots', '.'.repeat(5000), 'too-long']
  ]
}

function base64Mutations(forge: Forge): Mutation[] {
  const { genuine, signed } = forge
  const [header = '', payload = '', signature = ''] = genuine.split('.')
  const spoilt = (name: string, token: string): Mutation => [name, token, 'not-base64url']
  const intruders: [string, string][] = [
    ['a space', ' '],
    ['a line feed', '\n'],
    ['a carriage return and line feed', '\r\n'],
    ['a tab', '\t'],
    ['a NUL', '\0'],
    ['a percent escape', '%20'],
    ['an equals sign', '='],
    ['two equals signs', '=='],
    ['an asterisk', '*'],
    ['a quotation mark', '"'],
    ['a comma', ','],
    ['a letter beyond ASCII', 'é'],
    ['a fullwidth letter', '\uff21'],
    ['a lone surrogate', '\ud800']
  ]
  return [
    ...intruders.flatMap(([name, text]) => [
      spoilt(`${name} before the token`, text + genuine),
      spoilt(`${name} after the token`, genuine + text),
      spoilt(`${name} after the header, signed`, signed(header + text, payload)),
      spoilt(`${name} after the payload, signed`, signed(header, payload + text)),
      spoilt(`${name} inside the signature`, `${header}.${payload}.${insert(signature, text)}`)
    ]),
    spoilt('a scheme before the token', `Bearer ${genuine}`),
    ...trailingBitMutations(forge).map(([name, token]) => spoilt(name, token)),
    ...alphabetMutations(forge).map(([name, token]) => spoilt(name, token))
  ]
}

/** Segments whose last character says more than the bytes need: bits, or a character that stands for no byte. */
function trailingBitMutations({ header, payload, genuine, signed }: Forge): [string, string][] {
  const [headerSegment = '', payloadSegment = '', signature = ''] = genuine.split('.')
  const untidy = (source: SegmentSource, length: number) => surplus(alignTo(source, length))
  const input = `${headerSegment}.${payloadSegment}`
  return [
    ['surplus bits in the header (4)', signed(untidy(header, 1), payloadSegment)],
    ['surplus bits in the header (2)', signed(untidy(header, 2), payloadSegment)],
    ['surplus bits in the payload (4)', signed(headerSegment, untidy(payload, 1))],
    ['surplus bits in the payload (2)', signed(headerSegment, untidy(payload, 2))],
    ['surplus bits in the signature', `${input}.${surplus(signature)}`],
    ['a lone character in the header', signed(`${alignTo(header, 0)}A`, payloadSegment)],
    ['a lone character in the payload', signed(headerSegment, `${alignTo(payload, 0)}A`)],
    ['padding that belongs to the header', signed(`${alignTo(header, 1)}==`, payloadSegment)],
    ['padding that belongs to the payload', signed(headerSegment, `${alignTo(payload, 2)}=`)]
  ]
}

/** The other base64 alphabet (RFC 4648 §4), in segments that need the two letters in which they differ. */
function alphabetMutations({ header, payload, genuine, signed }: Forge): [string, string][] {
  const [headerSegment = ''] = genuine.split('.')
  // The text 'z>>>?' has both letters whatever is before it in its group of three.
  const segment = encode(toJsonText([...payload, ['x', '">>>>????>>>>????"']]))
  const standard = segment.replaceAll('-', '+').replaceAll('_', '/')
  const kid = encode(toJsonText([...header.slice(0, 2), ['kid', '">>>>????"']]))
  return [
    ['the standard alphabet in the payload', signed(headerSegment, standard)],
    [
      'the standard alphabet in the header',
      signed(kid.replaceAll('-', '+').replaceAll('_', '/'), segment)
    ]
  ]
}

/** A segment of the same JSON, with blanks so that its bytes are `remainder` over a multiple of three. */
function alignTo(source: SegmentSource, remainder: number): string {
  const text = Buffer.from(encode(source), 'base64url').toString()
  const blanks = (remainder - (Buffer.byteLength(text) % 3) + 3) % 3
  return encode(text + ' '.repeat(blanks))
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** The next letter of the alphabet for the last one decodes to the same bytes, if surplus bits are there. */
function surplus(segment: string): string {
  const last = alphabet.indexOf(segment.slice(-1))
  return segment.slice(0, -1) + alphabet.charAt(last + 1)
}

function insert(text: string, inner: string): string {
  return text.slice(0, 5) + inner + text.slice(5)
}
