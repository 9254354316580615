import { join } from 'node:path'
import t from 'tap'
import { ConfigError, loadConfig } from '../../src/config.js'
import { startService } from '../../src/startup/service.js'
import { describeStartFailure } from '../../src/startup/start-failure.js'
import { createTestDatabase } from '../support/postgres.js'
import { takenPort } from '../support/taken-port.js'
import { temporaryFolder } from '../support/temporary-folder.js'

/** What the operator reads when the service is started with this environment. */
async function outcomeOf(env: NodeJS.ProcessEnv): Promise<string> {
  try {
    const service = await startService(loadConfig({ LOG_LEVEL: 'silent', PORT: '0', ...env }))
    await service.close()
    return 'it started'
  } catch (error) {
    return describeStartFailure(error)
  }
}

t.test('whatever an operator can mend is said in a sentence without a stack', async (t) => {
  const folder = await temporaryFolder(t)
  const place = { KEYCARD_DATA_DIR: folder, DATABASE_URL: await createTestDatabase(t) }
  const admin = { BOOTSTRAP_ADMIN_EMAIL: 'root@example.com' }
  const cases: [what: string, env: NodeJS.ProcessEnv, words: RegExp][] = [
    ['nothing wrong', {}, /^it started$/],
    [
      'no such key ring',
      { JWT_KEYS_FILE: join(folder, 'absent') },
      /^JWT_KEYS_FILE .*absent .*read/
    ],
    ['a key as secret', { JWT_SECRET: '{"kty":"oct","k":"AAAAAAAAAAAAAAAAAAAAAA"}' }, /secret/],
    [
      'a wrong password for Postgres',
      { DATABASE_URL: place.DATABASE_URL.replace(/:[^:@/]+@/, ':hunter2@') },
      /^Postgres at 127\.0\.0\.1:\d+ refuses: (?!.*hunter2)/
    ],
    [
      'a common password of the first admin',
      { ...admin, BOOTSTRAP_ADMIN_PASSWORD: 'password123' },
      /^BOOTSTRAP_ADMIN_PASSWORD is too weak\. (?!.*password123)/
    ],
    ['a port that is taken', { PORT: String(await takenPort(t)) }, /Set PORT to another port\.$/],
    ['an address of another machine', { HOST: '192.0.2.1' }, /192\.0\.2\.1.*HOST/],
    ['a name that nobody has', { HOST: 'nobody.invalid' }, /nobody\.invalid.*HOST/]
  ]
  for (const [what, env, expected] of cases) {
    const said = await outcomeOf({ ...place, ...env })
    t.match(said, expected, what)
    t.notMatch(said, /\n\s+at /, `${what}: no stack`)
  }
})

t.test('a bug is told with its stack, anything else as it is', async (t) => {
  t.match(describeStartFailure(new TypeError('oops')), /^TypeError: oops\n\s+at /)
  t.equal(describeStartFailure('oops'), 'oops')
  t.equal(describeStartFailure(new ConfigError([])), new ConfigError([]).message)
})
