import { withMember, type Forge } from '../token-forge.js'
import type { Mutation } from './mutation.js'

type Values = readonly string[]

/** Genuine tokens whose claims are missing, of another type, or not for this service at this time. */
export function claimMutations(forge: Forge): Mutation[] {
  const { claims } = forge
  return [
    ...spoil(forge, 'iss', ofIssuer(claims.iss)),
    ...spoil(forge, 'aud', ofAudience(JSON.stringify(claims.aud))),
    ...(['sub', 'sid', 'jti'] as const).flatMap((name) => spoil(forge, name, ofId(claims[name]))),
    ...(['iat', 'exp'] as const).flatMap((name) => spoil(forge, name, ofNumber(claims[name]))),
    ...spoil(forge, 'nbf', ofNumber(claims.iat)),
    ...(['ver', 'gen'] as const).flatMap((name) => spoil(forge, name, ofNumber(7))),
    ...spoil(forge, 'roles', ofRoles),
    ...lifetimeMutations(forge)
  ]
}

function spoil({ header, payload, token }: Forge, name: string, values: Values): Mutation[] {
  const absent: Mutation[] = [
    [`no ${name}`, token(header, withMember(payload, name, undefined)), `claim-${name}`]
  ]
  return [
    // Only nbf may be absent.
    ...(name === 'nbf' ? [] : absent),
    ...values.map((text): Mutation => [
      `${name} ${text}`,
      token(header, withMember(payload, name, text)),
      /^-|^\d+[.e]|^\d+\.\d+/i.test(text) ? 'odd-number' : `claim-${name}`
    ])
  ]
}

const otherTypes: Values = ['null', 'true', 'false', '{}', '[]', '[null]']

function ofIssuer(issuer: string): Values {
  const spellings = [
    '',
    `${issuer}/`,
    ` ${issuer}`,
    `${issuer}\0`,
    `${issuer}.attacker.example`,
    issuer.slice(0, -1),
    issuer.toUpperCase(),
    'https://attacker.example'
  ]
  return [
    ...otherTypes,
    '1',
    JSON.stringify([issuer]),
    ...spellings.map((text) => JSON.stringify(text))
  ]
}

function ofAudience(audience: string): Values {
  const text = audience.slice(1, -1)
  return [
    ...otherTypes,
    '1',
    '""',
    '"other"',
    '["other"]',
    '["other","another"]',
    '[""]',
    `"${text}x"`,
    `"x${text}"`,
    `"${text.slice(0, -1)}"`,
    `"${text.toUpperCase()}"`,
    `"${text} "`,
    `"${text} other"`,
    `"${text},other"`,
    `"${text}\\u0000"`,
    '".*"',
    `[[${audience}]]`,
    `[${audience},1]`,
    `[${audience},null]`,
    `[{"aud":${audience}}]`,
    `{"0":${audience}}`
  ]
}

function ofId(id: string): Values {
  const spellings = [
    '',
    '0',
    'admin',
    id.toUpperCase(),
    `{${id}}`,
    `urn:uuid:${id}`,
    ` ${id}`,
    `${id} `,
    `${id}\n`,
    `${id}\0`,
    id.slice(0, -1),
    `${id}0`,
    id.replaceAll('-', ''),
    id.replaceAll('-', '_'),
    `g${id.slice(1)}`,
    `${id}' OR 1=1`,
    `${id},${id}`,
    '*'
  ]
  return [
    ...otherTypes,
    '1',
    JSON.stringify([id]),
    ...spellings.map((text) => JSON.stringify(text))
  ]
}

function ofNumber(value: number): Values {
  const digits = String(value)
  return [
    ...otherTypes,
    `"${digits}"`,
    `[${digits}]`,
    '""',
    '-1',
    '-0',
    `-${digits}`,
    '-1e300',
    '0.5',
    `${digits}.5`,
    `${digits}.0`,
    `${digits}e0`,
    `${digits}E0`,
    '1e999',
    '1e300',
    '1E308',
    '9007199254740992',
    '9007199254740993',
    '99999999999999999999'
  ]
}

const ofRoles: Values = [
  'null',
  'true',
  '{}',
  '1',
  '"admin"',
  '""',
  '[1]',
  '[null]',
  '["admin",1]',
  '["admin",null]',
  '[["admin"]]',
  '[{"role":"admin"}]',
  '{"0":"admin","length":1}'
]

function lifetimeMutations({ header, payload, claims, ttlSeconds, token }: Forge): Mutation[] {
  const at = (iat: number, exp: number) => {
    const issued = withMember(payload, 'iat', String(iat))
    return token(header, withMember(issued, 'exp', String(exp)))
  }
  const { iat } = claims
  const year = 31_536_000
  return [
    ['exp a second beyond the longest lifetime', at(iat, iat + ttlSeconds + 1), 'claim-exp'],
    ['exp beyond what a Date can hold', at(iat, 8_640_000_000_001), 'claim-exp'],
    ['exp a year from now', at(iat, iat + year), 'claim-exp'],
    ['exp equal to iat', at(iat, iat), 'claim-exp'],
    ['exp before iat', at(iat, iat - 1), 'claim-exp'],
    ['exp zero', at(iat, 0), 'claim-exp'],
    ['iat zero', at(0, iat + ttlSeconds), 'claim-exp'],
    ['iat an hour ahead', at(iat + 3600, iat + 3600 + ttlSeconds), 'claim-iat'],
    ['iat a year ahead', at(iat + year, iat + year + ttlSeconds), 'claim-iat'],
    ['iat in milliseconds', at(iat * 1000, iat * 1000 + ttlSeconds), 'claim-iat'],
    ['exp in milliseconds', at(iat, (iat + ttlSeconds) * 1000), 'claim-exp'],
    ['nbf an hour ahead', token(header, [...payload, ['nbf', String(iat + 3600)]]), 'claim-nbf'],
    ['nbf in milliseconds', token(header, [...payload, ['nbf', String(iat * 1000)]]), 'claim-nbf']
  ]
}
