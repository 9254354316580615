/**
 * The limit of logins: argon2 verifications and nothing else, as many at once as Keycard's queue runs.
 * Verifies HASH for SECONDS and says in one line of JSON how many it made in which time.
 */
import { verify } from 'argon2'
import { hashConcurrency } from '../../src/passwords/passwords.js'

const [hash = '', password = '', seconds = '1'] = process.argv.slice(2)
const concurrency = hashConcurrency(Number(process.env['UV_THREADPOOL_SIZE'] ?? 4))
const endAt = performance.now() + Number(seconds) * 1_000
let made = 0

async function work(): Promise<void> {
  while (performance.now() < endAt) {
    if (!(await verify(hash, password))) throw new Error('The password is not that of the hash')
    made++
  }
}

const start = performance.now()
const cpu = process.cpuUsage()
await Promise.all(Array.from({ length: concurrency }, work))
const tookSeconds = (performance.now() - start) / 1_000
const { user, system } = process.cpuUsage(cpu)
const result = { concurrency, made, tookSeconds, cpuUs: user + system }
process.stdout.write(`${JSON.stringify(result)}\n`)
