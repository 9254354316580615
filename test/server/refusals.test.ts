import { existsSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { type End, spawnService } from '../support/service-process.js'
import { takenPort } from '../support/taken-port.js'
import { temporaryFolder } from '../support/temporary-folder.js'

/** Asserts that the process gave up with words for its operator, and returns them. */
function refusalOf(t: Test, { code, stderr, stdout }: End): string {
  t.equal(code, 1)
  t.notMatch(stdout, /listening|Keycard is running/, 'nothing looks like a start')
  t.notMatch(stderr, /^\s+at /m, 'no stack')
  const words = /\nKeycard can't start\.\n\n(.*)\n\n$/s.exec(stderr)?.[1]
  t.ok(words, stderr)
  return words ?? ''
}

t.test(
  'production without secrets is refused; every wrong variable is named at once',
  async (t) => {
    const cwd = await temporaryFolder(t)
    const wrong = {
      PORT: 'http',
      ACCESS_TOKEN_TTL: '2h',
      KEYCARD_DATADIR: '/tmp',
      RATE_LIMIT: 'off'
    }
    const missing = ['DATABASE_URL', 'JWT_SECRET', 'REFRESH_SECRET', 'PUBLIC_URL']
    const service = await spawnService(t, { cwd, env: { ...wrong, NODE_ENV: 'production' } })
    const words = refusalOf(t, await service.ended)
    for (const name of [...Object.keys(wrong), ...missing]) t.match(words, name)
    t.notOk(existsSync(join(cwd, '.keycard')), 'and nothing is left behind')
  }
)

t.test('a port that is taken is named, and the embedded Postgres stopped', async (t) => {
  const cwd = await temporaryFolder(t)
  const port = String(await takenPort(t))
  const service = await spawnService(t, { cwd, env: { PORT: port } })
  const words = refusalOf(t, await service.ended)
  t.match(words, `127.0.0.1:${port}`)
  t.match(words, 'Set PORT to another port')
  t.ok(existsSync(join(cwd, '.keycard', 'postgres')))
  t.notOk(existsSync(join(cwd, '.keycard', 'postgres', 'postmaster.pid')))
})
