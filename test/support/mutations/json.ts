import { encode, toJsonText, withMember, type Forge, type SegmentSource } from '../token-forge.js'
import type { Mutation } from './mutation.js'

/** Tokens whose header or payload is no JSON object, or one that two parsers may read differently. */
export function jsonMutations(forge: Forge): Mutation[] {
  return [...textMutations(forge), ...duplicateMutations(forge), ...memberMutations(forge)]
}

function textMutations({ header, payload, token }: Forge): Mutation[] {
  const intoBoth = (
    name: string,
    spoil: (text: string) => SegmentSource,
    reason: string
  ): Mutation[] => [
    [`${name} as the header`, token(spoil(toJsonText(header)), payload), reason],
    [`${name} as the payload`, token(header, spoil(toJsonText(payload))), reason]
  ]
  const notUtf8 = (name: string, ...bytes: number[]) =>
    intoBoth(name, (text) => spliceBytes(text, Buffer.from(bytes)), 'not-utf8')
  const notObject = (name: string, spoil: (text: string) => SegmentSource) =>
    intoBoth(name, spoil, 'not-a-json-object')
  return [
    ...notUtf8('JSON with a byte that UTF-8 has not', 0xff),
    ...notUtf8('JSON with an overlong character', 0xc0, 0xaf),
    ...notUtf8('JSON with half a character', 0xe2, 0x82),
    ...notUtf8('JSON with an encoded surrogate', 0xed, 0xa0, 0x80),
    ...notUtf8('JSON with a character beyond Unicode', 0xf5, 0x80, 0x80, 0x80),
    ...notObject('JSON after a byte order mark', (text) => `\ufeff${text}`),
    ...notObject('UTF-16', (text) => Buffer.from(text, 'utf16le')),
    ...notObject('an array', (text) => `[${text}]`),
    ...notObject('null', () => 'null'),
    ...notObject('true', () => 'true'),
    ...notObject('a number', () => '1'),
    ...notObject('a string', (text) => JSON.stringify(text)),
    ...notObject('an empty array', () => '[]'),
    ...notObject('a blank', () => ' '),
    ...notObject('cut JSON', (text) => text.slice(0, -1)),
    ...notObject('JSON with a tail', (text) => `${text}x`),
    ...notObject('two objects', (text) => `${text}${text}`),
    ...notObject('JSON with a comma too many', (text) => `${text.slice(0, -1)},}`),
    ...notObject('JSON with a comment', (text) => `${text}/* */`),
    ...notObject('JSON in single quotes', (text) => text.replaceAll('"', "'")),
    ...notObject('JSON with a NUL after it', (text) => `${text}\0`),
    ...notObject('JSON with a raw line feed in a string', (text) => text.replace('":"', '":"\n')),
    ...notObject('a thousand brackets', () => '['.repeat(1000)),
    ['an empty object as the header', token('{}', payload), 'header-alg'],
    ['an empty object as the payload', token(header, '{}'), 'claim-iss']
  ]
}

/** Into the first string of the text, so that the JSON around the bytes is right. */
function spliceBytes(text: string, bytes: Buffer): Buffer {
  const at = text.indexOf('":"') + 3
  return Buffer.concat([Buffer.from(text.slice(0, at)), bytes, Buffer.from(text.slice(at))])
}

function duplicateMutations({ header, payload, token }: Forge): Mutation[] {
  const reason = 'duplicate-member'
  const escaped = (name: string) =>
    `\\u${name.charCodeAt(0).toString(16).padStart(4, '0')}${name.slice(1)}`
  const ofHeader = header.flatMap(([name, text]): Mutation[] => [
    [`the header's ${name} twice`, token([...header, [name, text]], payload), reason],
    [`another ${name} first`, token([[name, '"none"'], ...header], payload), reason],
    [`another ${name} last`, token([...header, [name, 'null']], payload), reason],
    [
      `the header's ${name} again in escapes`,
      token([...header, [escaped(name), text]], payload),
      reason
    ]
  ])
  const ofPayload = payload.flatMap(([name, text]): Mutation[] => [
    [`the claim ${name} twice`, token(header, [...payload, [name, text]]), reason],
    [`the claim ${name} first as null`, token(header, [[name, 'null'], ...payload]), reason],
    [
      `the claim ${name} again in escapes`,
      token(header, [...payload, [escaped(name), text]]),
      reason
    ]
  ])
  const nested = (name: string, text: string): Mutation => [
    name,
    token(header, [...payload, ['extra', text]]),
    reason
  ]
  return [
    ...ofHeader,
    ...ofPayload,
    nested('a duplicate in a nested object', '{"a":1,"a":2}'),
    nested('a duplicate in an object in an array', '[1,[{"a":{"b":1,"b":1}}]]'),
    nested('a duplicate of equal objects', '{"a":{"x":1},"a":{"x":1}}'),
    nested('an empty name twice', '{"":1,"":2}'),
    nested('a name with a quotation mark twice', '{"\\"":1,"\\u0022":2}'),
    nested('a name with a colon twice', '{":":1,":":2}')
  ]
}

function memberMutations({ header, payload, token }: Forge): Mutation[] {
  const reserved = (name: string, text: string): Mutation => [
    `${name} ${text} among the claims`,
    token(header, [...payload, [name, text]]),
    'reserved-member'
  ]
  const odd = (text: string): Mutation => [
    `the number ${text} in an unknown claim`,
    token(header, [...payload, ['extra', text]]),
    'odd-number'
  ]
  const deep = '{"a":'.repeat(200) + '{"__proto__":{}}' + '}'.repeat(200)
  return [
    reserved('__proto__', '{"admin":true}'),
    reserved('__proto__', 'null'),
    reserved('constructor', '{"prototype":{"admin":true}}'),
    reserved('prototype', '{}'),
    reserved('\\u005f_proto__', '{}'),
    [
      '__proto__ in a nested object',
      token(header, [...payload, ['extra', deep]]),
      'reserved-member'
    ],
    [
      'claims in __proto__ only',
      token(header, `{"__proto__":${toJsonText(payload)}}`),
      'reserved-member'
    ],
    [
      'the header in __proto__ only',
      token(`{"__proto__":${toJsonText(header)}}`, payload),
      'reserved-member'
    ],
    [
      '__proto__ beside the header',
      token([...header, ['__proto__', '{}']], payload),
      'reserved-member'
    ],
    odd('-1'),
    odd('1.5'),
    odd('1e999'),
    ['the payload in the header', token(payload, payload), 'unexpected-header'],
    ['the header as the payload', token(header, header), 'claim-iss'],
    ['claims in an object', token(header, `{"claims":${toJsonText(payload)}}`), 'claim-iss'],
    ['a token in the payload', token(header, `{"jwt":"${encode(payload)}"}`), 'claim-iss'],
    [
      'claims as a JSON string in a claim',
      token(header, withMember([], 'payload', JSON.stringify(toJsonText(payload)))),
      'claim-iss'
    ]
  ]
}
