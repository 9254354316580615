import type { Command } from 'commander'
import { createDenyList } from '../../revocation/deny-list.js'
import { listNodes } from '../../revocation/roster-store.js'
import type { Define } from '../command.js'
import type { Deployment } from '../deployment.js'
import type { Report } from '../report.js'
import { readAuditHead, readCounts, readMigrations, type RowCount } from '../status.js'
import { fields, table } from '../table.js'
import { duration } from '../times.js'

/** `keycard status`: what there is and whether it is well, at a glance. */
export function defineStatus(program: Command, define: Define): void {
  define(program, {
    name: 'status',
    summary: 'show the nodes, what is unpublished, and what the deployment holds',
    async run({ open }) {
      return report(await read(await open()))
    }
  })
}

type Status = Awaited<ReturnType<typeof read>>

async function read(deployment: Deployment) {
  const { database, revocation, clock } = deployment
  const migrations = await readMigrations(database)
  const list = await database.read((db) => listNodes(db, new Date(clock())))
  const roster = new Map((await revocation.readRoster()).nodes.map((node) => [node.id, node]))
  return {
    database: deployment.name,
    generation: list.generation,
    nodes: list.nodes.map(({ id, mode, startedAt, leaseMs, silentForMs }) => ({
      id,
      mode,
      startedAt,
      silentForMs: Math.max(0, silentForMs),
      leaseMs,
      leaseMsLeft: roster.get(id)?.leaseMsLeft ?? null,
      applied: roster.get(id)?.applied ?? false
    })),
    unpublished: await revocation.countUnpublished(),
    redis: await readRedis(deployment, list.currentDataSet),
    ...(await readCounts(database)),
    migrations,
    audit: await readAuditHead(database)
  }
}

/** Whether Redis answers, and whether what it holds is what counts. */
async function readRedis({ redis, clock }: Deployment, counted: string | null) {
  if (redis === undefined) return { state: 'none', dataSet: null, isCurrent: null } as const
  try {
    const { dataSet = null } = await createDenyList(redis, clock, 0).inspect()
    return { state: 'up', dataSet, isCurrent: dataSet !== null && dataSet === counted } as const
  } catch {
    return { state: 'away', dataSet: null, isCurrent: null } as const
  }
}

function report(status: Status): Report {
  const { migrations, audit } = status
  const summary = fields({
    database: status.database,
    redis: redisInWords(status.redis),
    generation: status.generation,
    unpublished: `${status.unpublished} revocations`,
    users: countInWords(status.users),
    sessions: countInWords(status.sessions),
    migrations:
      migrations.pending === 0 && migrations.unknown === 0
        ? 'up to date'
        : `${migrations.pending} pending, ${migrations.unknown} of a later version`,
    audit: `batch ${audit.batch ?? '-'}, ${countInWords(audit.unsealed)} events not sealed yet`,
    'audit head': audit.hash
  })
  const nodes = status.nodes.length === 0 ? 'No node is running.' : nodesTable(status.nodes)
  return { value: status, text: `${summary}\n\n${nodes}` }
}

function nodesTable(nodes: Status['nodes']): string {
  const head = ['NODE', 'MODE', 'LEASE', 'LEASE LEFT', 'APPLIED ALL', 'HEARD OF', 'UP FOR']
  const now = Date.now()
  return table(
    head,
    nodes.map((node) => [
      node.id,
      node.mode,
      node.mode === 'replica' ? duration(node.leaseMs) : null,
      node.leaseMsLeft === null ? null : duration(node.leaseMsLeft),
      node.applied ? 'yes' : 'not known',
      `${duration(node.silentForMs)} ago`,
      duration(Math.max(0, now - node.startedAt.getTime()))
    ])
  )
}

function redisInWords({ state, isCurrent }: Status['redis']): string {
  switch (state) {
    case 'none':
      return 'not configured'
    case 'away':
      return 'does not answer'
    case 'up':
      return isCurrent === true
        ? 'up, holds the deny-list'
        : 'up, without the deny-list that counts'
  }
}

function countInWords({ rows, isEstimate }: RowCount): string {
  return isEstimate ? `about ${rows}` : String(rows)
}
