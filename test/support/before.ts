/** Run by tap before the first test file. */
import { needCurl } from './curl.js'
import { redisBinary } from './redis-binary.js'
import { forgetBuild } from './shared-build.js'
import { forgetRun } from './shared-cluster.js'

await Promise.all([forgetRun(process.ppid), forgetBuild(process.ppid)])
// Here, so that no test file's time limit runs while a package is installed.
await redisBinary()
// The few tests that need it say so where it can't be had.
await needCurl().catch(() => undefined)
