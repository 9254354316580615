import { createServer } from 'node:http'
import { once } from 'node:events'
import fc from 'fast-check'
import t from 'tap'
import { requestBytes } from '../../bench/load/driver/connection.js'
import { readOptions, scenarioNames, UsageError } from '../../bench/load/options.js'
import { pageOf } from '../../bench/load/report/page.js'
import { isSound, type LoadReport } from '../../bench/load/report/report.js'
import { runScenario } from '../../bench/load/run.js'
import { openSite, type Site } from '../../bench/load/site.js'
import { createWitness } from '../../bench/load/witness.js'

const request = requestBytes({ path: '/' })

t.test('only what was sent after the answer and accepted is a violation', async () => {
  const time = fc.integer({ min: 0, max: 20 })
  fc.assert(
    fc.property(
      time,
      time,
      fc.option(time, { nil: undefined }),
      fc.constantFrom(200, 401, 503),
      (sentAt, took, revokedAt, status) => {
        const witness = createWitness()
        witness.judge('verify', revokedAt, { status, sentAt, receivedAt: sentAt + took })
        const isViolation = status === 200 && revokedAt !== undefined && sentAt > revokedAt
        return witness.violations.length === (isViolation ? 1 : 0)
      }
    )
  )
})

t.test('what is wrong with the arguments is said in a sentence', async (t) => {
  t.equal(readOptions(['--help']), undefined)
  t.same(readOptions(['--scenario', 'everyone,verify'])?.scenarios, ['verify', 'everyone'])
  t.same(readOptions(['--scenario', 'all'])?.scenarios, scenarioNames)
  t.equal(readOptions(['--saturate'])?.perSecond, undefined)
  const wrong = [
    ['--scenario', 'dance'],
    ['--rate', '0'],
    ['--seconds', 'ten'],
    ['--mode', 'memory'],
    ['--target', 'http://127.0.0.1:3000'],
    ['--what']
  ]
  for (const args of wrong) t.throws(() => readOptions(args), UsageError, args.join(' '))
})

const quick = (scenario: string) => {
  const options = readOptions([
    ...['--scenario', scenario, '--rate', '300', '--seconds', '3'],
    ...['--connections', '8', '--users', '200', '--people', '20']
  ])
  if (options === undefined) throw new Error('No options')
  return options
}

t.test(
  'a deployment under load keeps its promise, and the reports say what happened',
  async (t) => {
    const options = quick('revoke-storm,everyone')
    const site = await openSite(t, options)
    const storm = await runScenario('revoke-storm', { site, options })
    t.equal(storm.byRequest['logout']?.statuses['204'], 20)
    t.ok((storm.findings['revoked tokens refused'] ?? 0) > 0)
    t.same(storm.violations, [])
    t.ok((storm.cpuPerAnswerUs?.server ?? 0) > 0)

    const everyone = await runScenario('everyone', { site, options })
    t.same(everyone.violations, [])
    t.ok((everyone.findings['answer (ms)'] ?? 0) > 0)
    t.same(
      everyone.marks.map(({ label }) => label),
      ['everyone: asked', 'everyone: answered']
    )
    const report: LoadReport = {
      startedAt: '2026-01-01T00:00:00.000Z',
      machine: { cpu: '<cpu>', cores: 2, memoryGiB: 1, os: 'x', node: 'v20' },
      commit: 'abc',
      versions: {},
      configuration: { ...options, target: null },
      scenarios: [storm, everyone]
    }
    t.equal(isSound(report), true)
    const page = pageOf(report)
    t.match(page, '&lt;cpu&gt;')
    t.match(page, 'everyone: answered')
    t.notMatch(page, /NaN|undefined|https?:\/\/(?!127)/)
  }
)

t.test('a server that accepts a token which was revoked fails the run', async (t) => {
  // Whatever it is asked, it answers as if all were well.
  const server = createServer((asked, response) => {
    response.writeHead(asked.url === '/api/auth/logout' ? 204 : 200).end()
  }).listen(0, '127.0.0.1')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('It has no port')
  const person = () => ({ accessToken: 'x', visit: request, revokedAt: undefined })
  const site: Site = {
    targets: [{ host: '127.0.0.1', port: address.port }],
    protectedPath: '/',
    processes: { server: [], redis: [], postgres: [] },
    redis: undefined,
    admin: { email: '', password: '' },
    takePeople: () => [{ number: 1, card: person(), refreshToken: '' }]
  }
  const options = { ...quick('revoke-storm'), seconds: 1 }
  const { violations } = await runScenario('revoke-storm', { site, options })
  t.ok(violations.length > 0)
})
