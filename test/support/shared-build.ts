import { access, mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type Build, buildInto, buildService, locate } from '../chaos/build.js'
import type { Lifetime } from './lifetime.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const pollMs = 50
const buildMs = 100_000

/**
 * The service compiled once for all test files of a tap run: whoever asks first does it. By itself, a
 * test file or a program has a build of its own, which is gone when `t` ends.
 */
export async function sharedBuild(t: Lifetime): Promise<Build> {
  if (process.env['TAP'] !== '1') return await buildService(t)
  const folder = folderOf(process.ppid)
  const ready = join(folder, 'ready')
  await mkdir(join(root, '.tap', 'builds'), { recursive: true })
  const giveUpAt = performance.now() + buildMs
  while (performance.now() < giveUpAt) {
    if (await exists(ready)) return locate(ready)
    if (await isFirst(folder)) await build(folder, ready)
    else await sleep(pollMs)
  }
  throw new Error(`The service was not built within ${buildMs} ms`)
}

/** Removes the build of that run, or of an earlier one that had its process id. */
export async function forgetBuild(run: number): Promise<void> {
  await rm(folderOf(run), { recursive: true, force: true })
}

function folderOf(run: number): string {
  return join(root, '.tap', 'builds', String(run))
}

/** Whoever can make the folder. */
async function isFirst(folder: string): Promise<boolean> {
  return await mkdir(folder).then(
    () => true,
    () => false
  )
}

/** Others see all of it or nothing. Where it fails, the next one tries. */
async function build(folder: string, ready: string): Promise<void> {
  const draft = join(folder, 'draft')
  try {
    await mkdir(draft)
    await buildInto(draft)
    await rename(draft, ready)
  } catch (error) {
    await rm(folder, { recursive: true, force: true })
    throw error
  }
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false
  )
}
