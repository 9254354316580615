import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { connectToServer, sqlState } from './connection.js'

/** What is known of a server that may still run on a data directory. */
export type RunningServer =
  | { kind: 'none' }
  /** It starts, recovers or shuts down; ask again soon. */
  | { kind: 'unsettled' }
  | { kind: 'running'; pid: number; port: number }

const cannotConnectNow = '57P03'
const pollMs = 50
const patienceMs = { fast: 5_000, immediate: 2_000 }

/**
 * Finds the server that works in `directory`. What its pid file says is only where to ask: it counts
 * when it lets our password in and names the same directory.
 */
export async function findServer(directory: string, password: string): Promise<RunningServer> {
  const { pid, port } = await readPidFile(directory)
  if (pid === undefined || port === undefined) return { kind: 'none' }
  const sql = connectToServer({ port, password })
  try {
    const [row] = await sql`select current_setting('data_directory') as directory`
    return row?.['directory'] === directory ? { kind: 'running', pid, port } : { kind: 'none' }
  } catch (error) {
    return { kind: sqlState(error) === cannotConnectNow ? 'unsettled' : 'none' }
  } finally {
    await sql.end({ timeout: 0 })
  }
}

/** Ends a server that nobody owns any more: gracefully if it can, else so that it recovers at its next start. */
export async function stopOrphan(directory: string, pid: number): Promise<void> {
  for (const [signal, ms] of [
    ['SIGINT', patienceMs.fast],
    ['SIGQUIT', patienceMs.immediate],
    ['SIGKILL', patienceMs.immediate]
  ] as const) {
    // Postgres removes its pid file as its last act; another pid in it is another server's.
    if ((await readPidFile(directory)).pid !== pid || !send(pid, signal)) return
    for (let waitedMs = 0; waitedMs < ms; waitedMs += pollMs) {
      await sleep(pollMs)
      if ((await readPidFile(directory)).pid !== pid || !send(pid, 0)) return
    }
  }
}

async function readPidFile(directory: string): Promise<{ pid?: number; port?: number }> {
  const text = await readFile(join(directory, 'postmaster.pid'), 'utf8').catch(() => '')
  const [pid, , , port] = text.split('\n').map(Number)
  return pid !== undefined && port !== undefined && pid > 0 && port > 0 ? { pid, port } : {}
}

function send(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal)
  } catch {
    return false
  }
}
