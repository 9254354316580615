import { mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Lifetime } from './lifetime.js'

/** An empty folder that only this account can enter; removed when `t` ends. */
export async function temporaryFolder(t: Lifetime): Promise<string> {
  const folder = await mkdtemp(join(await realpath(tmpdir()), 'keycard-test-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  return folder
}
