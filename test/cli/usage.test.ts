import { fileURLToPath } from 'node:url'
import t from 'tap'
import { createCli } from '../support/cli.js'
import { createTestDatabase } from '../support/postgres.js'
import { spawnWatched } from '../support/service-process.js'

t.setTimeout(300_000)

const root = fileURLToPath(new URL('../..', import.meta.url))

t.test('npx keycard runs the command of the checkout', async (t) => {
  const npx = await spawnWatched(t, 'npx', ['keycard', 'revoke', '--help'], { cwd: root })
  const { code, stdout } = await npx.ended
  t.equal(code, 0)
  t.match(stdout, /Usage: keycard revoke/)
  t.match(stdout, /Exit codes:\n {2}0 {2}done\n/, 'every help page has the table of exit codes')
})

t.test('how a command fails', async (t) => {
  const password = 'planted-in-the-url'
  const databaseUrl = `postgres://keycard:${password}@127.0.0.1:1/keycard`
  const cli = await createCli(t, { DATABASE_URL: databaseUrl })
  const id = '019aa000-0000-7000-8000-000000000000'

  const failures = [
    [2, ['no-such-command'], /unknown command/],
    [2, ['revoke', 'session', 'not-an-id', '--reason', 'x'], /not the id of a session/],
    [2, ['users', 'list', '--limit', '0'], /--limit takes/],
    [2, ['audit', 'search', '--since', 'yesterday'], /yesterday is no time/],
    [4, ['status'], /Postgres.*check that it runs/],
    [4, ['migrate', '--patience', '0'], /did not answer within 0 s/],
    [4, ['revoke', 'session', id, '--reason', 'x'], /Postgres/]
  ] as const
  await Promise.all(
    failures.map(async ([exit, args, message]) => {
      const end = await cli.run([...args, '--json'])
      t.equal(end.code, exit, args.join(' '))
      t.match(end.json, { error: { exit, message } }, 'a script gets one document')
      t.match(end.stderr, message, 'and people a sentence')
      t.notMatch(end.stderr, /^\s+at /m, 'without a stack')
      t.notMatch(end.stdout + end.stderr, password)
    })
  )

  const misconfigured = await cli.run(['status'], { env: { NODE_ENV: 'production', PORT: 'x' } })
  t.equal(misconfigured.code, 2)
  t.match(misconfigured.stderr, /variables are wrong in the configuration:.*PORT/s)

  const elsewhere = await cli.run(['status'], { env: { DATABASE_URL: '' } })
  t.equal(elsewhere.code, 1, 'in the wrong folder')
  t.match(elsewhere.stderr, /There is no database in .*: set DATABASE_URL/)

  const empty = { DATABASE_URL: await createTestDatabase(t, { empty: true }) }
  const early = await cli.run(['users', 'list'], { env: empty })
  t.equal(early.code, 1, 'before the migrations')
  t.match(early.stderr, /run keycard migrate/)
  t.match((await cli.run(['migrate', '--json'], { env: empty })).json, { applied: Number })
  t.match((await cli.run(['migrate', '--json'], { env: empty })).json, { applied: 0 })
  t.match(await cli.run(['users', 'list'], { env: empty }), { code: 0, stdout: /No account fits/ })
})
