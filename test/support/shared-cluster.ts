import { spawn } from 'node:child_process'
import { mkdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { endWithRun } from './end-with-run.js'
import { endOf, signal } from './process-tree.js'

/** What the keeper of a shared cluster tells those who use it. */
export interface SharedCluster {
  /** Of the database `postgres`, as superuser. */
  url: string
  /** A stopped cluster with the migrated database `keycard`, to be copied. */
  pristine: string
  /** Of the superuser, here and in every copy. */
  password: string
}

export type KeeperReport =
  { kind: 'ready'; keeper: number; cluster: SharedCluster } | { kind: 'failed'; message: string }

const root = fileURLToPath(new URL('../..', import.meta.url))
const pollMs = 25
const startMs = 100_000

/** The run that this process belongs to: tap's, or its own where it runs by itself. */
export function currentRun(): number {
  return process.env['TAP'] === '1' ? process.ppid : process.pid
}

/** Where the keeper of that run writes its report. */
export function reportFile(run: number): string {
  return join(folderOf(run), 'postgres.json')
}

/**
 * The one cluster of this run. Whoever asks first has it started; it ends with the run.
 * @throws with the keeper's words when it could not be started.
 */
export async function sharedCluster(): Promise<SharedCluster> {
  endWithRun()
  const run = currentRun()
  await mkdir(join(root, '.tap', 'servers'), { recursive: true })
  const first = await mkdir(folderOf(run)).then(
    () => true,
    () => false
  )
  if (first) startKeeper(run)
  return await awaitReport(run)
}

async function awaitReport(run: number): Promise<SharedCluster> {
  const giveUpAt = performance.now() + startMs
  while (performance.now() < giveUpAt) {
    const report = await readReport(run)
    if (report?.kind === 'ready') return report.cluster
    if (report?.kind === 'failed') throw new Error(report.message)
    await sleep(pollMs)
  }
  throw new Error(`The Postgres that the tests share did not start within ${startMs} ms`)
}

/** Removes what was kept for that run, or for an earlier one that had its process id. */
export async function forgetRun(run: number): Promise<void> {
  await rm(folderOf(run), { recursive: true, force: true })
}

/** Stops the cluster of that run, if it has one, and waits until it is gone. */
export async function stopSharedCluster(run: number): Promise<void> {
  const report = await readReport(run)
  if (report?.kind === 'ready') {
    signal(report.keeper, 'SIGTERM')
    await endOf(report.keeper)
  }
  await forgetRun(run)
}

function folderOf(run: number): string {
  return join(root, '.tap', 'servers', String(run))
}

function startKeeper(run: number): void {
  const keeper = fileURLToPath(new URL('cluster-keeper.ts', import.meta.url))
  // Without tap's own environment: the keeper is no part of what is measured.
  const { PATH, HOME, TMPDIR } = process.env
  spawn(process.execPath, ['--import=tsx', keeper, String(run)], {
    cwd: root,
    env: { PATH, HOME, TMPDIR },
    stdio: ['ignore', 'ignore', 'inherit'],
    detached: true
  }).unref()
}

async function readReport(run: number): Promise<KeeperReport | undefined> {
  const text = await readFile(reportFile(run), 'utf8').catch(() => undefined)
  return text === undefined ? undefined : (JSON.parse(text) as KeeperReport)
}
