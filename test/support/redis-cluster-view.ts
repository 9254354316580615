import type { TestRedis } from './redis.js'

/** What one node of a Cluster takes for true. */
export interface ClusterView {
  /** It serves keys. */
  readonly isUp: boolean
  /** How many replicas it knows. */
  readonly replicas: number
  /** Whether it has met all of these. */
  readonly knows: (ids: readonly string[]) => boolean
  readonly masterPort: (slot: number) => number | undefined
  readonly replicaPort: (slot: number) => number | undefined
}

interface Member {
  readonly id: string
  readonly port: number
  readonly flags: readonly string[]
  readonly masterId: string
  readonly slots: readonly (readonly [from: number, to: number])[]
}

export async function clusterView(node: TestRedis): Promise<ClusterView> {
  const members = String(await node.cli('CLUSTER', 'NODES'))
    .trim()
    .split('\n')
    .map(parseMember)
  const info = String(await node.cli('CLUSTER', 'INFO'))
  const master = (slot: number) =>
    members.find(({ slots }) => slots.some(([from, to]) => from <= slot && slot <= to))
  return {
    isUp: info.includes('cluster_state:ok'),
    replicas: members.filter(({ flags }) => flags.includes('slave')).length,
    knows: (ids) =>
      ids.every((id) =>
        members.some((member) => member.id === id && !member.flags.includes('handshake'))
      ),
    masterPort: (slot) => master(slot)?.port,
    replicaPort(slot) {
      const masterId = master(slot)?.id
      return members.find((member) => member.masterId === masterId)?.port
    }
  }
}

/** A line of CLUSTER NODES: id, host:port@bus, flags, master, three times, link, slots… */
function parseMember(line: string): Member {
  const [id = '', address = '', flags = '', masterId = '', , , , , ...slots] = line.split(' ')
  return {
    id,
    port: Number(/:(\d+)@/.exec(address)?.[1]),
    flags: flags.split(','),
    masterId,
    slots: slots
      // In brackets stands what is being moved.
      .filter((range) => !range.startsWith('['))
      .map((range) => {
        const [from = '', to = from] = range.split('-')
        return [Number(from), Number(to)] as const
      })
  }
}
