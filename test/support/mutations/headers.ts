import { encode, signatureOf, withMember, type Forge } from '../token-forge.js'
import type { Mutation } from './mutation.js'

/** Tokens whose header asks for something else than the key's algorithm, this key, and an access token. */
export function headerMutations(forge: Forge): Mutation[] {
  return [
    ...algorithmMutations(forge),
    ...keyIdMutations(forge),
    ...typeMutations(forge),
    ...extensionMutations(forge)
  ]
}

function algorithmMutations({ header, payload, token, key }: Forge): Mutation[] {
  const withAlg = (text: string | undefined) => token(withMember(header, 'alg', text), payload)
  const unsigned = (name: string): string => {
    const [headerSegment, payloadSegment] = withAlg(JSON.stringify(name)).split('.')
    return `${headerSegment ?? ''}.${payloadSegment ?? ''}.`
  }
  const nones = ['none', 'None', 'NONE', 'nOnE']
  const others = ['HS256', 'HS384', 'HS512', 'RS256', 'RS512', 'PS256', 'ES256', 'ES384', 'EdDSA']
  const odd = [
    '',
    ' ',
    'Ed25519',
    'ES256K',
    'dir',
    'A128KW',
    'HMAC',
    'null',
    '__proto__',
    'toString'
  ]
  const near = [key.algorithm.toLowerCase(), `${key.algorithm} `, `${key.algorithm}\0`]
  const names = [...nones, ...others, ...odd, ...near].filter((name) => name !== key.algorithm)
  const kinds = ['null', '256', 'true', '{}', '[]', `["${key.algorithm}"]`]
  return [
    ...nones.map((name): Mutation => [
      `alg ${name}, unsigned`,
      unsigned(name),
      'not-three-segments'
    ]),
    ...names.map((name): Mutation => [
      `alg ${JSON.stringify(name)}, signed with ${key.algorithm}`,
      withAlg(JSON.stringify(name)),
      'wrong-algorithm'
    ]),
    ...kinds.map((text): Mutation => [`alg ${text}`, withAlg(text), 'header-alg']),
    ['no alg', withAlg(undefined), 'header-alg'],
    ['alg under another case', token([['ALG', '"x"'], ...header], payload), 'unexpected-header'],
    ...siblings(key.algorithm).map((name): Mutation => {
      const input = `${encode(withMember(header, 'alg', `"${name}"`))}.${encode(payload)}`
      const signature = signatureOf(name, key.signWith, input)
      return [
        `alg ${name}, signed with ${name} and the genuine key`,
        `${input}.${signature}`,
        'wrong-algorithm'
      ]
    })
  ]
}

/** Other algorithms that the same key could sign with. */
function siblings(algorithm: string): string[] {
  if (algorithm === 'HS256') return ['HS384', 'HS512']
  return algorithm === 'RS256' ? ['RS384', 'RS512', 'PS256', 'PS384'] : []
}

function keyIdMutations({ header, payload, token, key }: Forge): Mutation[] {
  const withKid = (text: string | undefined) => token(withMember(header, 'kid', text), payload)
  const unknown = [
    'unknown',
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
    'length',
    '0',
    'undefined',
    '../../../../dev/null',
    '/dev/null',
    'file:///etc/passwd',
    'https://attacker.example/jwks.json',
    "' OR '1'='1",
    "x' UNION SELECT 'secret'--",
    '$(id)',
    '*',
    '\0',
    `${key.kid} `,
    ` ${key.kid}`,
    `${key.kid}\0`,
    `${key.kid}/../${key.kid}`,
    key.kid.slice(0, -1),
    key.kid.toLowerCase() === key.kid ? key.kid.toUpperCase() : key.kid.toLowerCase(),
    'k'.repeat(128)
  ].filter((kid) => kid !== key.kid)
  const kinds = [
    'null',
    '0',
    '1',
    'true',
    '{}',
    '[]',
    `["${key.kid}"]`,
    '""',
    `"${'k'.repeat(129)}"`
  ]
  return [
    ['no kid', withKid(undefined), 'header-kid'],
    ...kinds.map((text): Mutation => [`kid ${text}`, withKid(text), 'header-kid']),
    ...unknown.map((kid): Mutation => [
      `kid ${JSON.stringify(kid)}`,
      withKid(JSON.stringify(kid)),
      'unknown-key'
    ])
  ]
}

function typeMutations({ header, payload, token }: Forge): Mutation[] {
  const wrong = [
    'JWT',
    'jwt',
    '',
    'at',
    'at+jw',
    'at+jwt ',
    ' at+jwt',
    'at+jwt\n',
    'at jwt',
    'at+jwt; charset=utf-8',
    'rt+jwt',
    'reset+jwt',
    'dpop+jwt',
    'logout+jwt',
    'text/at+jwt',
    'application/jwt',
    'application/application/at+jwt',
    'xapplication/at+jwt'
  ].map((type) => JSON.stringify(type))
  const kinds = ['null', '1', 'true', '{}', '["at+jwt"]']
  return [undefined, ...wrong, ...kinds].map((text): Mutation => [
    `typ ${text ?? 'missing'}`,
    token(withMember(header, 'typ', text), payload),
    'header-typ'
  ])
}

function extensionMutations({ header, payload, token, key }: Forge): Mutation[] {
  const jwk = JSON.stringify(
    key.verifyWith.type === 'public'
      ? key.verifyWith.export({ format: 'jwk' })
      : { kty: 'oct', k: 'AAAA' }
  )
  const extensions: [string, string][] = [
    ...[
      '["exp"]',
      '["b64"]',
      '["alg"]',
      '[]',
      '[1]',
      'null',
      '0',
      '""',
      'false',
      'true',
      '"exp"',
      '{}'
    ].map((text): [string, string] => ['crit', text]),
    ...['true', 'false', 'null', '0'].map((text): [string, string] => ['b64', text]),
    ...['"DEF"', '""', 'null'].map((text): [string, string] => ['zip', text]),
    ...['"JWT"', '"json"', 'null'].map((text): [string, string] => ['cty', text]),
    ...[jwk, 'null', '{}'].map((text): [string, string] => ['jwk', text]),
    ...['"https://attacker.example/jwks.json"', '""', 'null'].map((text): [string, string] => [
      'jku',
      text
    ]),
    ...['"https://attacker.example/cert.pem"', 'null'].map((text): [string, string] => [
      'x5u',
      text
    ]),
    ...['["MIIB"]', '[]', 'null'].map((text): [string, string] => ['x5c', text]),
    ['x5t', '"AAAA"'],
    ['x5t#S256', '"AAAA"'],
    ['enc', '"A256GCM"'],
    ['epk', '{}'],
    ['p2c', '1000000'],
    ['p2s', '"AAAA"'],
    ['url', '"https://attacker.example/"'],
    ['nonce', '"AAAA"'],
    ['iss', '"https://attacker.example"'],
    ['exp', '9999999999'],
    ['foo', '"bar"'],
    ['', '""']
  ]
  return [
    ...extensions.map(([name, text]): Mutation => [
      `header ${name} ${text.slice(0, 40)}`,
      token([...header, [name, text]], payload),
      'unexpected-header'
    ]),
    [
      'crit with the extension it names',
      token([...header, ['crit', '["exp"]'], ['exp', '9999999999']], payload),
      'unexpected-header'
    ]
  ]
}
