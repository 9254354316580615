import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { configVariables } from '../../src/config.js'
import { listening, spawnWatched } from '../support/service-process.js'
import { temporaryFolder } from '../support/temporary-folder.js'

/** Unsets everything, whatever a .env of this folder says. Node itself has read UV_THREADPOOL_SIZE. */
const nothing = Object.fromEntries(
  configVariables
    .filter(({ name }) => name !== 'UV_THREADPOOL_SIZE')
    .map(({ name }): [string, string] => [name, ''])
)

// It compiles the service first.
t.setTimeout(300_000)

t.test('npm start builds, starts and serves, until Ctrl-C', async (t) => {
  const dataDir = join(await temporaryFolder(t), 'data')
  const npm = await spawnWatched(t, 'npm', ['start'], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    env: { ...nothing, PORT: '0', KEYCARD_DATA_DIR: dataDir }
  })
  const service = await listening(npm)
  t.equal((await service.get('/health/ready')).status, 200)
  t.match(service.stdout(), `URL    ${service.url}\n`)

  const ada = { email: 'ada@example.com', password: 'purple-otter-42-lamp', name: 'Ada' }
  const { body } = await service.post('/api/auth/register', { body: ada })
  const [, claims = ''] = body.accessToken?.split('.') ?? []
  t.match(JSON.parse(Buffer.from(claims, 'base64url').toString()), { iss: service.url })

  // A terminal sends it to all of its processes.
  process.kill(-service.pid, 'SIGINT')
  await service.ended
  t.ok(existsSync(join(dataDir, 'postgres')))
  t.notOk(existsSync(join(dataDir, 'postgres', 'postmaster.pid')), 'Postgres has ended')
})
