import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Test } from 'tap'
import { sharedCluster } from './shared-cluster.js'
import { temporaryFolder } from './temporary-folder.js'
import { copyCluster } from './test-cluster.js'

/** A data directory as an embedded Postgres that ran before left it: for tests of what comes then. */
export async function preparedDataDir(t: Test): Promise<string> {
  const { pristine, password } = await sharedCluster()
  const dataDir = await temporaryFolder(t)
  await copyCluster(pristine, join(dataDir, 'postgres'))
  await writeFile(join(dataDir, 'postgres-password'), password, { mode: 0o600 })
  return dataDir
}
