/** Run by tap after the last test file. */
import { forgetBuild } from './shared-build.js'
import { stopSharedCluster } from './shared-cluster.js'

await stopSharedCluster(process.ppid)
await forgetBuild(process.ppid)
