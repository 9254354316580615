import type { Test } from 'tap'
import { eventually } from './eventually.js'
import { clusterView, type ClusterView } from './redis-cluster-view.js'
import { startRedis, type TestRedis } from './redis.js'
import { isInStep, syncAtOnce } from './redis-replication.js'

/** Three masters with a replica each. */
export interface TestCluster {
  /** For REDIS_URL: all six. */
  readonly url: string
  readonly nodes: readonly TestRedis[]
  /** The one that all nodes that answer take for the master of that key. */
  readonly masterOf: (key: string) => Promise<TestRedis>
  /** The one that would take over. */
  readonly replicaOf: (key: string) => Promise<TestRedis>
  /** Done when all nodes that answer take another than that for the master of the key. */
  readonly successorOf: (deposed: TestRedis, key: string) => Promise<TestRedis>
  /** The replica takes over from a master that is well, without a loss. → the new master */
  readonly failover: (key: string) => Promise<TestRedis>
}

const slots = 16_384
const masters = 3
const withinMs = 30_000

// A node that is left waiting for the processor must not be taken for dead.
const nodeTimeoutMs = 1500

const clustered = (port: number): string[] => [
  ...['--cluster-enabled', 'yes', '--cluster-port', String(port + 1)],
  ...['--cluster-node-timeout', String(nodeTimeoutMs), '--cluster-replica-validity-factor', '0']
]

/** `args` are for every node. */
export async function startCluster(
  t: Test,
  { args = [] }: { args?: readonly string[] } = {}
): Promise<TestCluster> {
  const nodes = await Promise.all(
    Array.from({ length: 2 * masters }, () =>
      startRedis(t, { args: (port) => [...syncAtOnce, ...clustered(port), ...args] })
    )
  )
  await form(nodes)

  const awake = () => nodes.filter((node) => node.answers())

  async function masterOf(key: string): Promise<TestRedis> {
    return await agreed(key, () => true)
  }

  async function agreed(key: string, accepts: (master: TestRedis) => boolean): Promise<TestRedis> {
    const slot = await slotOf(key)
    return await eventually(
      'the nodes agree on a master',
      async () => {
        const views = await Promise.all(awake().map(clusterView))
        const [port, ...others] = new Set(views.map((view) => view.masterPort(slot)))
        const master = nodes.find((node) => node.port === port)
        return others.length === 0 && master !== undefined && accepts(master) && master
      },
      { withinMs }
    )
  }

  async function slotOf(key: string): Promise<number> {
    return Number(await awake()[0]?.cli('CLUSTER', 'KEYSLOT', key))
  }

  async function replicaOf(key: string): Promise<TestRedis> {
    const slot = await slotOf(key)
    const views = await Promise.all(awake().map(clusterView))
    const port = views[0]?.replicaPort(slot)
    const replica = nodes.find((node) => node.port === port)
    if (replica === undefined) throw new Error('There is no replica')
    return replica
  }

  const successorOf = (deposed: TestRedis, key: string) =>
    agreed(key, (master) => master !== deposed)

  return {
    url: nodes.map(({ url }) => url).join(','),
    nodes,
    masterOf,
    replicaOf,
    successorOf,
    async failover(key) {
      const deposed = await masterOf(key)
      const replica = await replicaOf(key)
      await replica.cli('CLUSTER', 'FAILOVER')
      return await successorOf(deposed, key)
    }
  }
}

/** Makes one cluster of the nodes: the first three get the slots, the others follow them. */
async function form(nodes: readonly TestRedis[]): Promise<void> {
  const ids = await Promise.all(
    nodes.map(async (node) => String(await node.cli('CLUSTER', 'MYID')))
  )
  // A node that has met another takes no epoch.
  await Promise.all(nodes.map(prepare))
  await Promise.all(nodes.map(introduce))
  await eventually(
    'the nodes know each other',
    async () => (await viewsOf(nodes)).every((view) => view.knows(ids)),
    { withinMs }
  )
  const replicas = nodes.slice(masters)
  await Promise.all(
    replicas.map((replica, index) => replica.cli('CLUSTER', 'REPLICATE', ids[index] ?? ''))
  )
  await eventually(
    'the cluster is up',
    async () => {
      const views = await viewsOf(nodes)
      const inStep = await Promise.all(replicas.map(isInStep))
      return inStep.every(Boolean) && views.every((view) => view.isUp && view.replicas === masters)
    },
    { withinMs }
  )

  async function prepare(node: TestRedis, index: number): Promise<void> {
    await node.cli('CLUSTER', 'SET-CONFIG-EPOCH', index + 1)
    const share = slots / masters
    if (index < masters) {
      const [from, to] = [Math.ceil(index * share), Math.ceil((index + 1) * share) - 1]
      await node.cli('CLUSTER', 'ADDSLOTSRANGE', from, to)
    }
  }

  /** Each to all the others: hearsay takes seconds. */
  async function introduce(node: TestRedis, index: number): Promise<void> {
    for (const { port } of nodes.slice(index + 1)) {
      await node.cli('CLUSTER', 'MEET', '127.0.0.1', port, port + 1)
    }
  }
}

async function viewsOf(nodes: readonly TestRedis[]): Promise<ClusterView[]> {
  return await Promise.all(nodes.map(clusterView))
}
