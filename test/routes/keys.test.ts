import { createPublicKey, type JsonWebKey, verify } from 'node:crypto'
import t from 'tap'
import { parseKeyRing } from '../../src/tokens/key-ring.js'
import type { Client } from '../support/client.js'
import { newEntry, newKeyRing } from '../support/key-rings.js'
import { startKeycard } from '../support/keycard.js'
import { logIn, me, refresh, tokensOf, verdict } from '../support/session-calls.js'

const publicMembers = {
  EdDSA: ['alg', 'crv', 'kid', 'kty', 'use', 'x'],
  ES256: ['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y'],
  RS256: ['alg', 'e', 'kid', 'kty', 'n', 'use']
}

const headerOf = (token: string): { alg: string; kid: string } =>
  JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()) as {
    alg: string
    kid: string
  }

async function publishedKeys(client: Client): Promise<readonly Record<string, string>[]> {
  const { status, body } = await client.get('/.well-known/jwks.json')
  if (status !== 200 || body.keys === undefined) throw new Error(`No keys: ${String(status)}`)
  return body.keys
}

/** Verifies as somebody else's service would, with nothing but the published keys. */
async function isGenuineToOthers(client: Client, token: string): Promise<boolean> {
  const { kid, alg } = headerOf(token)
  const jwk: JsonWebKey | undefined = (await publishedKeys(client)).find(
    (key) => key['kid'] === kid
  )
  if (jwk === undefined || jwk['alg'] !== alg) return false
  const [header = '', payload = '', signature = ''] = token.split('.')
  return verify(
    alg === 'EdDSA' ? null : 'sha256',
    Buffer.from(`${header}.${payload}`),
    { key: createPublicKey({ key: jwk, format: 'jwk' }), dsaEncoding: 'ieee-p1363' },
    Buffer.from(signature, 'base64url')
  )
}

for (const algorithm of ['EdDSA', 'ES256', 'RS256'] as const) {
  t.test(`${algorithm}: the published keys verify tokens and sign none`, async (t) => {
    const keycard = await startKeycard(t, { keyRing: newKeyRing(algorithm) })
    const { accessToken } = await keycard.register()
    t.same(headerOf(accessToken), { alg: algorithm, typ: 'at+jwt', kid: `${algorithm}-1` })
    t.equal(verdict(await me(keycard, accessToken)), 200)
    const [key, ...others] = await publishedKeys(keycard)
    t.same(others, [])
    t.same(Object.keys(key ?? {}).sort(), publicMembers[algorithm])
    t.ok(await isGenuineToOthers(keycard, accessToken))
    const [header = '', payload = '', signature = ''] = accessToken.split('.')
    const claims = Buffer.from(payload, 'base64url')
      .toString()
      .replace('"roles":[]', '"roles":["admin"]')
    const forged = [header, Buffer.from(claims).toString('base64url'), signature].join('.')
    t.not(forged, accessToken)
    t.notOk(await isGenuineToOthers(keycard, forged))
  })
}

t.test('HS256 publishes nothing', async (t) => {
  const keycard = await startKeycard(t)
  t.same(await publishedKeys(keycard), [])
  const { headers } = await keycard.get('/.well-known/jwks.json')
  t.match(headers.get('cache-control'), /^public, max-age=\d+$/)
})

t.test('keys rotate with an overlap in which nobody notices', async (t) => {
  const [old, next] = [newEntry('old', 'ES256'), newEntry('next', 'ES256')]
  const announced = parseKeyRing([old, { ...next, status: 'verify' }])
  const keycard = await startKeycard(t, { keyRing: announced })
  const ada = await keycard.register()
  const kids = async () => (await publishedKeys(keycard)).map((key) => key['kid'])
  t.same(await kids(), ['old', 'next'], 'the next key is known before it signs')

  keycard.accessTokens.replaceKeyRing(parseKeyRing([next, { ...old, status: 'verify' }]))
  t.equal(verdict(await me(keycard, ada.accessToken)), 200)
  t.ok(await isGenuineToOthers(keycard, ada.accessToken))
  const renewed = tokensOf(await refresh(keycard, ada.refreshToken))
  t.equal(headerOf(renewed.accessToken).kid, 'next')
  t.equal(verdict(await me(keycard, renewed.accessToken)), 200)
  t.ok(await isGenuineToOthers(keycard, renewed.accessToken))

  keycard.accessTokens.replaceKeyRing(parseKeyRing([next]))
  t.same(await kids(), ['next'])
  t.equal(verdict(await me(keycard, ada.accessToken)), 'INVALID_TOKEN')
  t.equal(verdict(await me(keycard, renewed.accessToken)), 200)
})

t.test('retiring a key kills at once what it signed, and no session', async (t) => {
  const [stolen, next] = [newEntry('stolen', 'EdDSA'), newEntry('next', 'EdDSA')]
  const keycard = await startKeycard(t, { keyRing: parseKeyRing([stolen]) })
  const ada = await keycard.register()
  t.equal(verdict(await me(keycard, ada.accessToken)), 200)

  keycard.accessTokens.replaceKeyRing(parseKeyRing([next, { ...stolen, status: 'retired' }]))
  t.equal(verdict(await me(keycard, ada.accessToken)), 'INVALID_TOKEN')
  t.notOk(await isGenuineToOthers(keycard, ada.accessToken))
  const renewed = tokensOf(await refresh(keycard, ada.refreshToken))
  t.equal(verdict(await me(keycard, renewed.accessToken)), 200)
  t.equal(verdict(await logIn(keycard, ada)), 200)
})
