/**
 * The limit of logins: argon2 verifications and nothing else, as many at once as Keycard's queue runs.
 *
 *   node argon2.js HASH PASSWORD WARM_UP_SECONDS SECONDS
 *
 * It says in one line of JSON how many it made, in which time.
 */
import { verify } from 'argon2'
import { hashConcurrency } from '../../src/passwords/passwords.js'

export interface HashesMade {
  readonly made: number
  readonly tookSeconds: number
  /** CPU time of the process, in microseconds. */
  readonly cpuUs: number
}

const [hash = '', password = '', ...durations] = process.argv.slice(2)
const concurrency = hashConcurrency(Number(process.env['UV_THREADPOOL_SIZE'] ?? 4))

async function hashFor(seconds: number): Promise<HashesMade> {
  const start = performance.now()
  const cpu = process.cpuUsage()
  const endAt = start + seconds * 1_000
  let made = 0
  async function work(): Promise<void> {
    while (performance.now() < endAt) {
      if (!(await verify(hash, password))) throw new Error('The password is not that of the hash')
      made++
    }
  }
  await Promise.all(Array.from({ length: concurrency }, work))
  const { user, system } = process.cpuUsage(cpu)
  return { made, tookSeconds: (performance.now() - start) / 1_000, cpuUs: user + system }
}

const [warmUpSeconds = 0, seconds = 1] = durations.map(Number)
await hashFor(warmUpSeconds)
process.stdout.write(`${JSON.stringify(await hashFor(seconds))}\n`)
