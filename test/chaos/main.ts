/**
 * The long run: `npm run test:chaos -- --minutes N --seed S`. Ends with 1 where a promise was broken.
 * With `--mode`, the nodes get that REVOCATION_MODE; `--no-redis` leaves Redis away and `--no-admin`
 * the admin API; with `--lie`, they tell one of inside/lies.ts.
 */
import { parseArgs } from 'node:util'
import { createLifetime } from '../support/lifetime.js'
import { accountOf } from './account-of.js'
import { runHarness } from './harness.js'
import { summarise } from './summary.js'

const mostAccounts = 10

const { values } = parseArgs({
  allowNegative: true,
  options: {
    minutes: { type: 'string', default: '2' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
    mode: { type: 'string' },
    redis: { type: 'boolean', default: true },
    admin: { type: 'boolean', default: true },
    lie: { type: 'string' },
    people: { type: 'string', default: '12' }
  }
})

const startedAt = performance.now()
const print = (line: string): void => {
  process.stdout.write(`${line}\n`)
}
const say = (message: string): void => {
  print(`${((performance.now() - startedAt) / 1_000).toFixed(1)} s  ${message}`)
}

const lifetime = createLifetime()
try {
  const { minutes, seed, mode, redis, admin, lie, people } = values
  print(`seed ${seed}`)
  const report = await runHarness(lifetime, {
    seed: Number(seed),
    minutes: Number(minutes),
    ...(mode === undefined ? {} : { mode }),
    ...(lie === undefined ? {} : { lie }),
    redis,
    admin,
    people: Number(people),
    say
  })
  for (const line of summarise(report)) print(line)
  for (const violation of report.violations.slice(0, mostAccounts)) {
    for (const line of accountOf(violation, report.history)) print(line)
  }
  if (report.violations.length > 0) {
    report.outputs.forEach((output, node) => print(`node ${node} said:\n${output.slice(-4_000)}`))
    process.exitCode = 1
  }
} finally {
  await lifetime.end()
}
