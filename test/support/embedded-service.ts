import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { endWithRun } from './end-with-run.js'

/** A process of its own that holds an embedded Postgres, to be killed. */
export interface EmbeddedService {
  outcome: { kind: 'started'; url: string } | { kind: 'refused'; message: string }
  /** SIGKILL to that process alone. */
  kill: () => Promise<void>
}

const script = fileURLToPath(new URL('embedded-service-process.ts', import.meta.url))

/** Starts one on `dataDir`; resolves when its Postgres has started or was refused. */
export async function startEmbeddedService(t: Test, dataDir: string): Promise<EmbeddedService> {
  endWithRun()
  const { PATH, HOME, TMPDIR } = process.env
  const child = spawn(process.execPath, ['--import=tsx', script, dataDir], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    env: { PATH, HOME, TMPDIR },
    // Its stdin ends with this process, and it with its stdin.
    stdio: ['pipe', 'pipe', 'inherit']
  })
  const exited = once(child, 'exit')
  t.teardown(async () => {
    child.stdin.end()
    await exited
  })
  return {
    outcome: await firstLine(child),
    kill: async () => {
      child.kill('SIGKILL')
      await exited
    }
  }
}

async function firstLine(child: ChildProcess): Promise<EmbeddedService['outcome']> {
  if (child.stdout === null) throw new Error('The output of the service is not readable')
  const lines = createInterface(child.stdout)
  const first: unknown[] = await Promise.race([once(lines, 'line'), once(lines, 'close')])
  const [line] = first
  if (typeof line !== 'string') throw new Error('The service ended without a word')
  return JSON.parse(line) as EmbeddedService['outcome']
}
