import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import postgres from 'postgres'
import t, { type Test } from 'tap'
import { readOptions } from '../../bench/load/options.js'
import type { LoadReport, ScenarioReport } from '../../bench/load/report/report.js'
import { runScenario } from '../../bench/load/run.js'
import { openSite } from '../../bench/load/site.js'
import { newSecrets, startKeycard } from '../support/keycard.js'
import { createTestDatabase } from '../support/postgres.js'
import { type End, spawnWatched } from '../support/service-process.js'
import { temporaryFolder } from '../support/temporary-folder.js'
import { serve } from '../support/serve.js'

const small = [
  ...['--seconds', '1', '--warm-up', '0.2', '--rate', '300', '--connections', '8'],
  ...['--people', '20', '--users', '150']
]

t.test('a deployment under load keeps its promise', async (t) => {
  const options = readOptions([...small, '--scenario', 'all'])
  if (options === undefined) throw new Error('No options')
  const site = await openSite(t, options)
  const run = { site, options }

  const storm = await runScenario('revoke-storm', run)
  t.equal(storm.byRequest['logout']?.statuses['204'], 20)
  t.ok((storm.findings['revoked access tokens refused'] ?? 0) > 0)
  t.ok((storm.findings['revoked refresh tokens refused'] ?? 0) > 0)
  t.same([storm.violations, storm.unproved], [[], []])
  t.ok((storm.cpuPerAnswerUs?.server ?? 0) > 0)

  const outage = await runScenario('outage', run)
  t.same(labelsOf(outage).slice(0, 2), ['Redis killed', 'Redis back'])
  t.same([outage.violations, outage.unproved], [[], []])
  t.ok((outage.cpuPerAnswerUs?.redis ?? 0) > 0, 'of the one that was killed, too')

  const everyone = await runScenario('everyone', run)
  t.same([everyone.violations, everyone.unproved], [[], []])
  t.equal(everyone.unjustRefusals, 0)
  t.ok((everyone.findings['answer (ms)'] ?? 0) > 0)
  t.ok((everyone.findings['people back at the end'] ?? 0) > 0)
  t.same(labelsOf(everyone).slice(0, 2), ['everyone: asked', 'everyone: answered'])
})

const labelsOf = ({ marks }: ScenarioReport) => marks.map(({ label }) => label)

interface LoadEnd extends End {
  readonly report: LoadReport | undefined
}

const main = fileURLToPath(new URL('../../bench/load/main.ts', import.meta.url))
const secrets = newSecrets()
const issuer = 'https://load.example'

/** Runs the command to its end. */
async function load(t: Test, args: readonly string[]): Promise<LoadEnd> {
  const out = await temporaryFolder(t)
  const command = ['--import', import.meta.resolve('tsx'), main, ...small, ...args, '--out', out]
  const { ended } = await spawnWatched(t, process.execPath, command, {
    env: { JWT_SECRET: secrets.jwt, REFRESH_SECRET: secrets.refresh, JWT_ISSUER: issuer }
  })
  const end = await ended
  const name = (await readdir(out)).find((file) => file.endsWith('.json'))
  if (name === undefined) return { ...end, report: undefined }
  return { ...end, report: JSON.parse(await readFile(join(out, name), 'utf8')) as LoadReport }
}

/** Whatever it is asked, it answers as if all were well. */
async function startLiar(t: Test): Promise<string> {
  const { host, port } = await serve(t, (asked, response) => {
    response.writeHead(asked.url === '/api/auth/logout' ? 204 : 200).end()
  })
  return `http://${host}:${port}`
}

/** It answers nobody any more who has logged out, so that it accepts nothing of what was revoked. */
async function startMute(t: Test): Promise<string> {
  const gone = new Set<string | undefined>()
  const { host, port } = await serve(t, ({ url, headers: { authorization } }, response) => {
    const isLogout = url === '/api/auth/logout'
    if (isLogout) gone.add(authorization)
    const isRefused = url === '/api/auth/refresh' || gone.has(authorization)
    response.writeHead(isLogout ? 204 : isRefused ? 503 : 200).end()
  })
  return `http://${host}:${port}`
}

t.test('the command loads what runs already, and fails where the promise is broken', async (t) => {
  const env = { JWT_ISSUER: issuer }
  const [honest, inUse, liar, mute, liarsDatabase, mutesDatabase] = await Promise.all([
    startKeycard(t, { secrets, env }),
    startKeycard(t),
    startLiar(t),
    startMute(t),
    createTestDatabase(t),
    createTestDatabase(t)
  ])
  const { email } = await inUse.register({ email: 'ada@somewhere.example' })
  const against = async (url: string, databaseUrl: string, scenario: string) =>
    await load(t, ['--target', url, '--database-url', databaseUrl, '--scenario', scenario])
  const [kept, broken, unproved, refused] = await Promise.all([
    against(honest.url, honest.databaseUrl, 'verify,refresh'),
    against(liar, liarsDatabase, 'revoke-storm'),
    against(mute, mutesDatabase, 'revoke-storm'),
    against(inUse.url, inUse.databaseUrl, 'verify')
  ])

  t.equal(kept.code, 0, kept.stderr)
  const statuses = kept.report?.scenarios.map(({ all }) => Object.keys(all.statuses))
  t.same(statuses, [['200'], ['200']])
  t.same(await emailsIn(t, honest.databaseUrl), [], 'whose password everybody can read')

  t.equal(broken.code, 1)
  t.ok((broken.report?.scenarios[0]?.violations.length ?? 0) > 0)
  t.match(broken.stdout, 'VIOLATED')

  t.equal(unproved.code, 1)
  t.match(
    unproved.stdout,
    'UNPROVED: no revoked access token was sent after the answer and refused'
  )

  t.equal(refused.code, 1)
  t.match(refused.stderr, 'accounts of others')
  t.same(await emailsIn(t, inUse.databaseUrl), [email])
})

async function emailsIn(t: Test, databaseUrl: string): Promise<string[]> {
  const sql = postgres(databaseUrl, { max: 1 })
  t.teardown(() => sql.end())
  const rows = await sql<{ email: string }[]>`select email from users`
  return rows.map((row) => row.email)
}
