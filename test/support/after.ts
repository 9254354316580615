/** Run by tap after the last test file. */
import { stopSharedCluster } from './shared-cluster.js'

await stopSharedCluster(process.ppid)
