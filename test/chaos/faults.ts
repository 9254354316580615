import { setTimeout as pause } from 'node:timers/promises'
import type { ChaosNode } from './node-process.js'
import type { RedisSide } from './redis-side.js'
import type { Plan } from './schedule.js'
import type { Line, Site } from './site.js'

/** From one block to the next; each takes as long as inside/block-on-signal.ts says. */
const blockEveryMs = 1_800

/** Does what the plan says and undoes it; done when all is as it was. */
export async function inflict(site: Site, plan: Plan): Promise<void> {
  switch (plan.kind) {
    case 'freeze nodes': {
      const nodes = chosen(site.nodes, plan.nodes)
      for (const node of nodes) node.freeze()
      await pause(plan.ms)
      for (const node of nodes) node.thaw()
      return
    }
    case 'kill nodes':
      await Promise.all(chosen(site.nodes, plan.nodes).map((node) => killNode(node, plan.ms)))
      return
    case 'block event loops':
      for (let count = 0; count < plan.blocks; count++) {
        for (const node of chosen(site.nodes, plan.nodes)) node.block()
        await pause(blockEveryMs)
      }
      return
    case 'cut redis':
      return await cut(chosen(site.redisLines, plan.nodes), plan.ms)
    case 'cut postgres':
      return await cut(chosen(site.postgresLines, plan.nodes), plan.ms)
    case 'delay redis':
      return await delay(chosen(site.redisLines, plan.nodes), plan)
    case 'delay postgres':
      return await delay(chosen(site.postgresLines, plan.nodes), plan)
    case 'restart postgres':
      await site.postgres.kill()
      await pause(plan.ms)
      return await site.postgres.start()
    case 'freeze postgres':
      site.postgres.freeze()
      await pause(plan.ms)
      site.postgres.thaw()
      return
    case 'freeze redis':
      return await redisOf(site).freeze(plan.ms)
    case 'flush redis':
      return await redisOf(site).flush()
    case 'restart redis':
      return await redisOf(site).restart({ ms: plan.ms, keeps: { ageMs: 0 } })
    case 'empty redis':
      return await redisOf(site).restart({ ms: plan.ms, keeps: 'nothing' })
    case 'redis from an old snapshot':
      return await redisOf(site).restart({ ms: plan.ms, keeps: { ageMs: plan.ageMs } })
    case 'redis failover':
      return await failOver(site, plan)
  }
}

async function killNode(node: ChaosNode, downMs: number): Promise<void> {
  await node.kill()
  await pause(downMs)
  await node.start()
}

async function cut(lines: readonly Line[], ms: number): Promise<void> {
  for (const line of lines) line.cut()
  await pause(ms)
  for (const line of lines) line.connect()
}

async function delay(
  lines: readonly Line[],
  { ms, delayMs }: { ms: number; delayMs: number }
): Promise<void> {
  for (const line of lines) line.delay(delayMs)
  await pause(ms)
  for (const line of lines) line.delay(0)
  // What was held up last is still on its way.
  await pause(delayMs)
}

/** Half of the lines are cut at once, the others stay with the old primary while it lingers. */
async function failOver(site: Site, plan: { lagMs: number; lingerMs: number }): Promise<void> {
  const { redisLines } = site
  await redisOf(site).failOver({
    ...plan,
    onPromoted: () => {
      redisLines.forEach((line, index) => {
        if (index % 2 === 0) line.cut()
        line.connect()
      })
    }
  })
  for (const line of redisLines) line.cut()
  for (const line of redisLines) line.connect()
}

function redisOf({ redis }: Site): RedisSide {
  if (redis === undefined) throw new Error('There is no Redis to be hurt')
  return redis
}

function chosen<T>(all: readonly T[], indexes: readonly number[]): T[] {
  return all.filter((_, index) => indexes.includes(index))
}
