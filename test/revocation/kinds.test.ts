import t, { type Test } from 'tap'
import type { AccessClaims } from '../../src/tokens/claims.js'
import { startNodes } from '../support/deployment.js'
import type { TestKeycard } from '../support/keycard.js'
import { startRedis, type TestRedis } from '../support/redis.js'
import { logIn, me, refresh, tokensOf, verdict } from '../support/session-calls.js'

const cause = { reason: 'test', origin: null }
/** How much longer than its tokens a revocation is remembered, for clocks that differ. */
const allowanceMs = 60_000

interface Scene {
  readonly nodes: readonly TestKeycard[]
  readonly node: TestKeycard
  readonly redis: TestRedis | undefined
}

async function assertEverywhere(
  t: Test,
  { nodes }: Scene,
  { dead = [], alive = [] }: { dead?: readonly string[]; alive?: readonly string[] }
): Promise<void> {
  const verdicts = async (token: string) =>
    await Promise.all(nodes.map(async (node) => verdict(await me(node, token))))
  for (const token of dead) {
    t.same(
      await verdicts(token),
      nodes.map(() => 'TOKEN_REVOKED')
    )
  }
  for (const token of alive) {
    t.same(
      await verdicts(token),
      nodes.map(() => 200)
    )
  }
}

/** Asserts that Redis denies something for as long as the token lives, and a little longer. */
async function assertDenied(
  t: Test,
  { redis, node }: Scene,
  { key, level, token }: { key: string; level: string; token: string }
): Promise<void> {
  if (redis === undefined) return
  t.equal(await redis.cli('GET', key), level)
  const leftMs = claimsOf(node, token).exp * 1_000 - Date.now()
  const ttlMs = Number(await redis.cli('PTTL', key))
  t.ok(ttlMs > leftMs, `${ttlMs} ms, the token lives ${leftMs} ms more`)
  // Whole seconds in the token, and the moment between its issue and its revocation.
  t.ok(ttlMs <= 900_000 + allowanceMs)
}

function claimsOf(node: TestKeycard, token: string): AccessClaims {
  const verification = node.accessTokens.verify(token)
  if (verification.kind !== 'valid') throw new Error('The token is no good')
  return verification.claims
}

async function killToken(t: Test, scene: Scene): Promise<void> {
  const { node } = scene
  const ada = await node.register()
  const other = tokensOf(await refresh(node, ada.refreshToken))
  const { jti, exp } = claimsOf(node, ada.accessToken)
  const receipt = await node.app.revocation.revokeToken({ jti, exp }, cause)
  t.equal(receipt.nodes.length, scene.nodes.length)
  await assertEverywhere(t, scene, { dead: [ada.accessToken], alive: [other.accessToken] })
  await assertDenied(t, scene, {
    key: `deny:jti:{keycard}:${jti}`,
    level: '1',
    token: ada.accessToken
  })
}

async function killSession(t: Test, scene: Scene): Promise<void> {
  const { node } = scene
  const ada = await node.register()
  const second = tokensOf(await refresh(node, ada.refreshToken))
  const elsewhere = tokensOf(await logIn(node, ada))
  const answer = await node.post('/api/auth/logout', { token: second.accessToken })
  t.equal(answer.status, 204)
  await assertEverywhere(t, scene, {
    dead: [ada.accessToken, second.accessToken],
    alive: [elsewhere.accessToken]
  })
  const key = `deny:session:{keycard}:${ada.sessionId}`
  await assertDenied(t, scene, { key, level: '1', token: second.accessToken })
}

async function killUser(t: Test, scene: Scene): Promise<void> {
  const { node } = scene
  const [ada, bob] = [await node.register(), await node.register()]
  const elsewhere = tokensOf(await logIn(node, ada))
  const answer = await node.post('/api/auth/logout-all', { token: ada.accessToken })
  t.equal(answer.status, 200)
  const later = tokensOf(await logIn(node, ada))
  await assertEverywhere(t, scene, {
    dead: [ada.accessToken, elsewhere.accessToken],
    alive: [bob.accessToken, later.accessToken]
  })
  const key = `deny:user:{keycard}:${ada.id}`
  await assertDenied(t, scene, { key, level: '2', token: elsewhere.accessToken })
}

async function killEveryone(t: Test, scene: Scene): Promise<void> {
  const { node, redis } = scene
  const [ada, bob] = [await node.register(), await node.register()]
  await node.app.revocation.revokeEveryone(cause)
  const later = tokensOf(await logIn(node, ada))
  await assertEverywhere(t, scene, {
    dead: [ada.accessToken, bob.accessToken],
    alive: [later.accessToken]
  })
  t.equal(verdict(await refresh(node, bob.refreshToken)), 'INVALID_REFRESH_TOKEN')
  if (redis === undefined) return
  t.equal(await redis.cli('GET', '{keycard}:generation'), '2')
  t.equal(await redis.cli('PTTL', '{keycard}:generation'), -1, 'the generation never expires')
}

const kinds = { token: killToken, session: killSession, user: killUser, everyone: killEveryone }

const places = [
  { mode: 'replica', withRedis: true },
  { mode: 'replica', withRedis: false },
  { mode: 'redis', withRedis: true },
  { mode: 'database', withRedis: false }
] as const

for (const { mode, withRedis } of places) {
  const title = `in mode ${mode} ${withRedis ? 'with' : 'without'} Redis, each kind dies at once on all nodes`
  t.test(title, async (t) => {
    const redis = withRedis ? await startRedis(t) : undefined
    const nodes = await startNodes(t, 3, { mode, ...(redis && { redisUrl: redis.url }) })
    const [node] = nodes
    t.equal(node.config.revocation.mode, mode)
    const scene = { nodes, node, redis }
    for (const [kind, kill] of Object.entries(kinds)) {
      await t.test(kind, (t) => kill(t, scene))
    }
  })
}

t.test('a node in mode database publishes for others where it has Redis', async (t) => {
  const redis = await startRedis(t)
  const nodes = await startNodes(t, 2, {
    redisUrl: redis.url,
    mode: 'database'
  })
  const [node] = nodes
  await killSession(t, { nodes, node, redis })
})
