import t, { type Test } from 'tap'
import type { Answer } from '../support/client.js'
import { newSecrets, startKeycard, type TestKeycard } from '../support/keycard.js'
import { startRedis } from '../support/redis.js'
import { holdRows } from '../support/row-locks.js'
import {
  assertDead,
  assertLives,
  logIn,
  me,
  refresh,
  sessionRow,
  tokensOf,
  verdict
} from '../support/session-calls.js'

const secrets = newSecrets()
const redis = await startRedis(t)
const plain = await startKeycard(t, { secrets })
const { databaseUrl } = plain
const nodes = [
  plain,
  await startKeycard(t, { secrets, databaseUrl, redisUrl: redis.url }),
  await startKeycard(t, { secrets, databaseUrl, redisUrl: redis.url })
]

const times = <T>(count: number, make: (index: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, (_, index) => make(index)))

const nodeOf = (index: number): TestKeycard => nodes[index % nodes.length] ?? plain

/** Asserts that all of them got one and the same successor, and that it is good. */
async function assertOneSuccessor(t: Test, answers: readonly Answer[], counter: number) {
  t.same(new Set(answers.map(verdict)), new Set([200]), 'nobody is refused')
  const successors = answers.map((answer) => tokensOf(answer))
  const [first] = successors
  if (first === undefined) throw new Error('There was no answer')
  t.equal(new Set(successors.map((tokens) => tokens.refreshToken)).size, 1, 'one successor')
  t.equal((await sessionRow(plain, first.sessionId)).counter, counter, 'one rotation')
  const visits = await Promise.all(
    successors.map((own, index) => me(nodeOf(index), own.accessToken))
  )
  t.same(new Set(visits.map(verdict)), new Set([200]), 'every access token is good')
  return first
}

t.test('fifty refreshes with one token are one rotation', async (t) => {
  const person = await plain.register()
  const answers = await times(50, () => refresh(plain, person.refreshToken))
  const next = await assertOneSuccessor(t, answers, 1)
  await assertLives(t, plain, next)
})

t.test('fifty refreshes on three nodes are one rotation, again and again', async (t) => {
  let tokens = tokensOf(await logIn(plain, await plain.register()))
  for (let counter = 1; counter <= 4; counter++) {
    const { refreshToken } = tokens
    const answers = await times(50, (index) => refresh(nodeOf(index), refreshToken))
    tokens = await assertOneSuccessor(t, answers, counter)
  }
  await assertLives(t, nodeOf(1), tokens)
})

t.test('fifty tabs with one cookie all keep a cookie that is good', async (t) => {
  const { email, password } = await plain.register()
  const login = await plain.post('/api/auth/login', { body: { email, password } })
  const cookie = /^[^;]+/.exec(login.cookies[0] ?? '')?.[0] ?? ''
  const answers = await times(50, (index) =>
    nodeOf(index).post('/api/auth/refresh', { headers: { cookie } })
  )
  t.same(new Set(answers.map(verdict)), new Set([200]))
  const kept = new Set(answers.map(({ cookies }) => cookies.join().split(';')[0]))
  t.equal(kept.size, 1)
  const [next = ''] = kept
  const again = await plain.post('/api/auth/refresh', { headers: { cookie: next } })
  t.equal(again.status, 200)
})

t.test('fifty replays of an old token end its session, and all of them are told so', async (t) => {
  const person = await plain.register()
  const elsewhere = tokensOf(await logIn(plain, person))
  const second = tokensOf(await refresh(plain, person.refreshToken))
  const third = tokensOf(await refresh(plain, second.refreshToken))
  const answers = await times(50, (index) => refresh(nodeOf(index), person.refreshToken))
  t.same(new Set(answers.map(verdict)), new Set(['REFRESH_REUSED']))
  for (const node of nodes) await assertDead(t, node, third)
  await assertLives(t, plain, elsewhere)
})

t.test(
  'of refreshes with the current token and with an old one, none outlives the end',
  async (t) => {
    const rounds = await times(20, async (round) => {
      const person = await plain.register()
      const second = tokensOf(await refresh(plain, person.refreshToken))
      const third = tokensOf(await refresh(plain, second.refreshToken))
      const answers = await times(6, (index) =>
        refresh(nodeOf(index + round), index % 2 === 0 ? third.refreshToken : person.refreshToken)
      )
      const dead = await Promise.all([
        me(nodeOf(round), third.accessToken),
        ...answers
          .filter(({ status }) => status === 200)
          .flatMap((answer) => {
            const tokens = tokensOf(answer)
            return [me(nodeOf(round), tokens.accessToken), refresh(plain, tokens.refreshToken)]
          })
      ])
      return { answers: answers.map(verdict), dead: dead.map(({ status }) => status) }
    })
    const old = rounds.flatMap(({ answers }) => answers.filter((_, index) => index % 2 === 1))
    t.same(new Set(old), new Set(['REFRESH_REUSED']))
    t.same(new Set(rounds.flatMap(({ dead }) => dead)), new Set([401]))
  }
)

t.test('a session whose row is held keeps nobody else waiting', async (t) => {
  const [held, ...others] = await times(12, () => plain.register())
  if (held === undefined) throw new Error('There was nobody')
  const holder = await holdRows(t, databaseUrl)
  await holder.sql`select from sessions where id = ${held.sessionId} for update`
  const waiting = refresh(plain, held.refreshToken)
  const answers = await Promise.all(others.map((person) => refresh(plain, person.refreshToken)))
  t.same(new Set(answers.map(verdict)), new Set([200]))
  await holder.waitedForBy(waiting)
  await holder.sql`update sessions set revoked_at = now() where id = ${held.sessionId}`
  await holder.commit()
  t.equal(verdict(await waiting), 'INVALID_REFRESH_TOKEN', 'what was decided meanwhile counts')
})

t.test('without a grace, one of many gets the successor and the others are reuse', async (t) => {
  const strict = await startKeycard(t, { env: { REFRESH_GRACE: '0s' } })
  for (const count of [2, 2, 2, 8]) {
    const person = await strict.register()
    const answers = await times(count, () => refresh(strict, person.refreshToken))
    t.equal(answers.filter(({ status }) => status === 200).length, 1, `of ${count}`)
    t.ok(answers.map(verdict).includes('REFRESH_REUSED'))
  }
})

t.test('however many sessions are held, others find a connection', async (t) => {
  const [other, ...held] = await times(13, () => plain.register())
  if (other === undefined) throw new Error('There was nobody')
  const holder = await holdRows(t, databaseUrl)
  const ids = held.map(({ sessionId }) => sessionId)
  await holder.sql`select from sessions where id = any(${ids}) for update`
  const waiting = Promise.all(held.map((person) => refresh(plain, person.refreshToken)))
  await holder.waitedForBy(waiting)
  t.equal(verdict(await refresh(plain, other.refreshToken)), 200)
  t.notOk(await isSettled(waiting), 'nobody who waits is kept waiting for')
  await holder.commit()
  t.same(new Set((await waiting).map(verdict)), new Set([200]))
})

async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  const pending = Symbol('pending')
  return (await Promise.race([promise, Promise.resolve(pending)])) !== pending
}
