import { once } from 'node:events'
import { readdir, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { clusterExists, createCluster } from '../../src/embedded/cluster.js'
import { freePort } from '../../src/embedded/free-port.js'
import { launchPostmaster } from '../../src/embedded/postmaster.js'
import { StartError } from '../../src/embedded/start-error.js'
import { openWorkbench } from '../support/test-cluster.js'

const bench = await openWorkbench()
t.teardown(() => rm(bench.home, { recursive: true, force: true }))
const { home, binaries, account } = bench
const directory = join(home, 'data')
const password = 'a password'
const quick = ['--no-sync', '--wal-segsize', '1']

async function launch(port: number, settings = {}) {
  return await launchPostmaster({ binaries, account, directory, port, settings })
}

t.test('a cluster is whole or not there', async (t) => {
  const initdbArgs = ['--no-such-option']
  const refusal = await createCluster({ ...bench, directory, password, initdbArgs }).catch(
    (error: unknown) => error
  )
  t.type(refusal, StartError)
  t.match(String(refusal), /initdb said, which ended with 1:.*no-such-option/s)
  t.same(await readdir(home), [])
  t.notOk(await clusterExists(directory))

  await createCluster({ ...bench, directory, password, initdbArgs: quick })
  t.ok(await clusterExists(directory))
  t.same(await readdir(home), ['data'])
})

t.test('of those who make the same cluster the first wins', async (t) => {
  const contested = join(home, 'contested')
  const make = () => createCluster({ ...bench, directory: contested, password, initdbArgs: quick })
  await Promise.all([make(), make()])
  await make()
  t.ok(await clusterExists(contested))
  t.same((await readdir(home)).sort(), ['contested', 'data'])
})

t.test('programs that can not be run are told', async (t) => {
  const missing = { ...binaries, initdb: '/nowhere/initdb', postgres: '/nowhere/postgres' }
  const plain = { ...bench, binaries: missing, directory: join(home, 'other'), password }
  await t.rejects(createCluster(plain), { name: 'StartError', message: /initdb/ })
  const outcome = await launchPostmaster({ ...plain, port: await freePort() })
  t.match(outcome, { kind: 'failed', output: /nowhere/ })
})

t.test('a launch tells what is in its way', async (t) => {
  const squatter = createServer().listen(0, '127.0.0.1')
  await once(squatter, 'listening')
  t.teardown(() => squatter.close())
  const address = squatter.address()
  if (address === null || typeof address === 'string') throw new Error('No port')
  t.same(await launch(address.port), { kind: 'port-taken' })

  t.match(await launch(await freePort(), { no_such_setting: 'on' }), {
    kind: 'failed',
    output: /no_such_setting/
  })

  const first = await launch(await freePort())
  t.equal(first.kind, 'ready')
  t.match(await launch(await freePort()), { kind: 'folder-in-use', output: /already exists/ })
  if (first.kind === 'ready') await first.postmaster.stop()
})

t.test('a pid file that another server left is not mistaken for readiness', async (t) => {
  const stale = ['1', directory, '0', '1', '', '127.0.0.1', '', 'ready   ', '']
  await writeFile(join(directory, 'postmaster.pid'), stale.join('\n'))
  const outcome = await launch(await freePort())
  t.not(outcome.kind, 'port-taken')
  if (outcome.kind === 'ready') {
    t.not(outcome.postmaster.pid, 1)
    await outcome.postmaster.stop()
  }
  await rm(join(directory, 'postmaster.pid'), { force: true })
})

t.test('a server that does not stop when asked is stopped all the same', async (t) => {
  const outcome = await launch(await freePort(), { fsync: 'off' })
  if (outcome.kind !== 'ready') throw new Error(outcome.kind)
  process.kill(outcome.postmaster.pid, 'SIGSTOP')
  await outcome.postmaster.stop()
  await outcome.postmaster.exited
  t.pass('it ended')
})
