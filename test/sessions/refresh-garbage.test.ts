import { randomBytes, randomUUID } from 'node:crypto'
import t, { type Test } from 'tap'
import {
  createRefreshTokens,
  newSalt,
  parseRefreshToken
} from '../../src/sessions/refresh-token.js'
import { startKeycard } from '../support/keycard.js'
import {
  assertLives,
  logIn,
  me,
  refresh,
  sessionRow,
  tokensOf,
  verdict
} from '../support/session-calls.js'

const keycard = await startKeycard(t)

/** Asserts that `attack` leaves a session, with two rotations behind it, as it was to the byte. */
async function changesNothing(
  t: Test,
  attack: (refreshToken: string, accessToken: string, sessionId: string) => Promise<void>
): Promise<void> {
  const person = await keycard.register()
  const once = tokensOf(await refresh(keycard, person.refreshToken))
  const tokens = tokensOf(await refresh(keycard, once.refreshToken))
  const before = await sessionRow(keycard, person.sessionId)
  await attack(tokens.refreshToken, tokens.accessToken, tokens.sessionId)
  t.same(await sessionRow(keycard, person.sessionId), before)
  await assertLives(t, keycard, tokens)
}

async function refused(t: Test, token: unknown, what: string): Promise<void> {
  const answer = await refresh(keycard, token)
  t.equal(verdict(answer), 'INVALID_REFRESH_TOKEN', what)
  t.same(answer.cookies, [], `${what}: no cookie`)
}

t.test('a token with any bit flipped changes nothing', async (t) => {
  await changesNothing(t, async (token) => {
    const bytes = Buffer.from(token, 'base64url')
    for (let index = 0; index < bytes.length; index++) {
      const flipped = Buffer.from(bytes)
      flipped.writeUInt8(flipped.readUInt8(index) ^ (1 << (index % 8)), index)
      await refused(t, flipped.toString('base64url'), `byte ${index}`)
    }
  })
})

t.test('a token that is cut, stretched, padded or spelt otherwise changes nothing', async (t) => {
  await changesNothing(t, async (token) => {
    for (const [what, spoilt] of Object.entries({
      empty: '',
      'one character': token.slice(0, 1),
      'half of it': token.slice(0, 35),
      'one character short': token.slice(0, -1),
      'without its first character': token.slice(1),
      'one character long': `${token}A`,
      padded: `${token}==`,
      'with a space behind': `${token} `,
      'with a space before': ` ${token}`,
      'with a line break': `${token.slice(0, 20)}\n${token.slice(20)}`,
      'in another alphabet': Buffer.from(token, 'base64url').toString('base64'),
      'with unused bits set': `${token.slice(0, -1)}${nextCharacter(token.slice(-1))}`,
      'in hexadecimal': Buffer.from(token, 'base64url').toString('hex'),
      'in upper case': token.toUpperCase(),
      'with look-alike letters': token.replace(/[a-z]/, 'ａ'),
      'percent-encoded': `%${token.charCodeAt(0).toString(16)}${token.slice(1)}`
    })) {
      await refused(t, spoilt, what)
    }
  })
})

t.test('a token of the right shape that was not minted here changes nothing', async (t) => {
  await changesNothing(t, async (token, accessToken, sessionId) => {
    const other = await keycard.register()
    const otherBytes = Buffer.from(other.refreshToken, 'base64url')
    const bytes = Buffer.from(token, 'base64url')
    const { salt, counter } = await sessionRow(keycard, sessionId)
    const stranger = createRefreshTokens('the refresh secret of some other deployment')
    const own = createRefreshTokens(keycard.config.refresh.secret ?? '')

    const splice = (head: Buffer, mac: Buffer) => Buffer.concat([head, mac]).toString('base64url')
    const forged = (ahead: number) => {
      const head = Buffer.from(bytes.subarray(0, 20))
      head.writeUInt32BE(counter + ahead, 16)
      return splice(head, bytes.subarray(20))
    }
    for (const [what, forgery] of Object.entries({
      'random bytes': randomBytes(52).toString('base64url'),
      zeros: Buffer.alloc(52).toString('base64url'),
      'its session and a random MAC': splice(bytes.subarray(0, 20), randomBytes(32)),
      "its session and another session's MAC": splice(
        bytes.subarray(0, 20),
        otherBytes.subarray(20)
      ),
      'its MAC and another session': splice(otherBytes.subarray(0, 20), bytes.subarray(20)),
      'the next counter under its MAC': forged(1),
      'a far counter under its MAC': forged(1_000_000),
      'the counter before under its MAC': forged(-1),
      'the first counter under its MAC': forged(-counter),
      'another secret': stranger.mint(sessionId, counter, salt),
      'the first counter under another secret': stranger.mint(sessionId, 0, salt),
      'another salt': own.mint(sessionId, 0, newSalt()),
      'a session that does not exist': own.mint(randomUUID(), 0, salt),
      'the beginning of an access token': accessToken.slice(0, token.length)
    })) {
      await refused(t, forgery, what)
    }
    t.equal(parseRefreshToken(token)?.sessionId, sessionId)
    await assertLives(t, keycard, other)
  })
})

t.test('a body that holds no token changes nothing', async (t) => {
  await changesNothing(t, async (token, accessToken) => {
    const long = ['x'.repeat(257), 'x'.repeat(10_240), accessToken]
    for (const value of [[token], { token }, 5, true, null, ...long]) {
      t.equal(verdict(await refresh(keycard, value)), 'VALIDATION_FAILED')
    }
    for (const body of [[], [token], 'true', '5', `"${token}"`, { refreshtoken: token }]) {
      const answer = await keycard.post('/api/auth/refresh', { body })
      t.equal(verdict(answer), 'VALIDATION_FAILED', JSON.stringify(body))
    }
    const known = { refreshToken: token, sessionId: randomUUID() }
    t.equal(
      verdict(await keycard.post('/api/auth/refresh', { body: known })),
      'VALIDATION_FAILED',
      'nor does one with more fields than there are'
    )
    for (const body of ['{', `{"refreshToken":"${token}","refreshToken":"${token}"}`]) {
      t.equal(verdict(await keycard.post('/api/auth/refresh', { body })), 'MALFORMED_BODY')
    }
    t.equal(verdict(await refresh(keycard, `${token}\0`)), 'MALFORMED_BODY')
    for (const body of [undefined, '{}', 'null']) {
      const answer = await keycard.post('/api/auth/refresh', { body })
      t.equal(verdict(answer), 'INVALID_REFRESH_TOKEN', 'without a token at all')
    }
  })
})

t.test('a refresh token is no access token', async (t) => {
  await changesNothing(t, async (token) => {
    t.equal(verdict(await me(keycard, token)), 'INVALID_TOKEN')
    t.equal(verdict(await keycard.post('/api/auth/logout', { token })), 'INVALID_TOKEN')
    t.equal(verdict(await keycard.post('/api/auth/logout-all', { token })), 'INVALID_TOKEN')
    const query = `/api/auth/refresh?refreshToken=${token}`
    t.equal(verdict(await keycard.post(query)), 'VALIDATION_FAILED', 'nor is it read in a URL')
    const get = await keycard.get('/api/auth/refresh', { token })
    t.equal(verdict(get), 'METHOD_NOT_ALLOWED')
  })
})

t.test('a forged refresh token does not log out', async (t) => {
  await changesNothing(t, async (token) => {
    const bytes = Buffer.from(token, 'base64url')
    const forged = Buffer.concat([bytes.subarray(0, 20), randomBytes(32)]).toString('base64url')
    for (const refreshToken of [forged, '', 'x']) {
      const answer = await keycard.post('/api/auth/logout', { body: { refreshToken } })
      t.equal(verdict(answer), 'INVALID_REFRESH_TOKEN')
    }
  })
})

t.test('a forged refresh token does not tell a session from none', async (t) => {
  const person = await keycard.register()
  const bytes = Buffer.from(person.refreshToken, 'base64url')
  const forged = (head: Buffer) =>
    Buffer.concat([head, bytes.subarray(16, 20), randomBytes(32)]).toString('base64url')
  const known = await refresh(keycard, forged(bytes.subarray(0, 16)))
  const unknown = await refresh(keycard, forged(randomBytes(16)))
  const comparable = ({ body }: typeof known) => ({ ...body, instance: undefined })
  t.same(comparable(known), comparable(unknown))
  t.equal(verdict(await logIn(keycard, person)), 200)
})

/** The next one sets a bit that the last character of a token leaves unused. */
function nextCharacter(character: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return alphabet.charAt(alphabet.indexOf(character) + 1)
}
