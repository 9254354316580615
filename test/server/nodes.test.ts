import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import postgres from 'postgres'
import t, { type Test } from 'tap'
import { eventually } from '../support/eventually.js'
import { newEntry, newSecret } from '../support/key-rings.js'
import { createTestDatabase } from '../support/postgres.js'
import { logIn, me, tokensOf, verdict } from '../support/session-calls.js'
import { type RunningService, startServiceProcess } from '../support/service-process.js'
import { temporaryFolder } from '../support/temporary-folder.js'

const admin = { email: 'root@example.com', password: 'purple-otter-42-lamp' }

/** A key ring file that can be written again. */
async function keyRingFile(
  t: Test
): Promise<{ path: string; write: (ring: unknown) => Promise<void> }> {
  const path = join(await temporaryFolder(t), 'keys.json')
  return { path, write: (ring) => writeFile(path, JSON.stringify(ring)) }
}

async function rowsOf<T extends object>(t: Test, url: string, query: string): Promise<T[]> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined })
  t.teardown(() => sql.end({ timeout: 0 }))
  return await sql.unsafe<T[]>(query)
}

async function hangUp({ signal, stdout }: RunningService, event: string): Promise<void> {
  signal('SIGHUP')
  await eventually(event, () => stdout().includes(`"event":"${event}"`))
}

t.test('four nodes start at once on an empty database, and hang up is no end', async (t) => {
  const databaseUrl = await createTestDatabase(t, { empty: true })
  const keys = await keyRingFile(t)
  const [old, next] = [newEntry('old', 'EdDSA'), newEntry('next', 'EdDSA')]
  await keys.write([old, { ...next, status: 'verify' }])
  const env = {
    DATABASE_URL: databaseUrl,
    PUBLIC_URL: 'http://keycard.test',
    JWT_ALGORITHM: 'EdDSA',
    JWT_KEYS_FILE: keys.path,
    REFRESH_SECRET: newSecret(),
    BOOTSTRAP_ADMIN_EMAIL: admin.email,
    BOOTSTRAP_ADMIN_PASSWORD: admin.password
  }
  const start = () => startServiceProcess(t, { env })
  const nodes = await Promise.all([start(), start(), start(), start()])
  const [first, second] = nodes

  const login = await logIn(first, admin)
  t.same(login.body.user?.roles, ['admin'], 'the first admin is there')
  t.same(
    await rowsOf(t, databaseUrl, `select email from users where 'admin' = any(roles)`),
    [{ email: admin.email }],
    'once'
  )
  const { accessToken } = tokensOf(login)
  for (const node of nodes) {
    t.equal((await node.get('/health/ready')).status, 200)
    t.equal(verdict(await me(node, accessToken)), 200)
  }

  await keys.write([{ ...old, status: 'retired' }, next])
  await hangUp(first, 'keys.reloaded')
  t.equal(verdict(await me(first, accessToken)), 'INVALID_TOKEN', 'what the old key signed is dead')
  t.match((await first.get('/.well-known/jwks.json')).body.keys, [{ kid: 'next' }])
  const fresh = tokensOf(await logIn(first, admin))
  t.equal(verdict(await me(second, fresh.accessToken)), 200, 'the overlap had made it known')

  await keys.write([
    { ...old, status: 'active' },
    { ...next, status: 'active' }
  ])
  await hangUp(second, 'keys.not_reloaded')
  t.match(second.stdout(), 'exactly one key with')
  t.equal(verdict(await me(second, accessToken)), 200, 'a wrong file changes nothing')

  for (const node of nodes) node.signal('SIGTERM')
  for (const node of nodes) t.match(await node.ended, { code: 0, signal: null })
  t.same(await rowsOf(t, databaseUrl, 'select * from nodes'), [], 'nobody decides any more')
})
