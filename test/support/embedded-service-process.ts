/** The process behind embedded-service.ts: an embedded Postgres in the folder that its argument names. */
import { once } from 'node:events'
import { startEmbeddedPostgres } from '../../src/embedded/postgres.js'
import type { EmbeddedService } from './embedded-service.js'

function tell(outcome: EmbeddedService['outcome']): void {
  process.stdout.write(`${JSON.stringify(outcome)}\n`)
}

const silence = { info: () => {}, warn: () => {}, error: () => {} }
const stdinEnded = once(process.stdin.resume(), 'end')
try {
  const dataDir = process.argv[2] ?? ''
  const { url, stop } = await startEmbeddedPostgres({ dataDir, log: silence })
  tell({ kind: 'started', url })
  await stdinEnded
  await stop()
} catch (error) {
  tell({ kind: 'refused', message: String(error) })
}
process.exit()
