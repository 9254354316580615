import type { Test } from 'tap'
import { createRedisClient, type RedisClient } from '../../src/redis/client.js'
import { createDenyList, type DenyList, type Filling } from '../../src/revocation/deny-list.js'
import { type RevocationEvent, RevocationState } from '../../src/revocation/state.js'

const retentionMs = 3_600_000

/** When it is for deny-lists of tests, in ms since the epoch. */
export const nowMs = 1_767_225_600_000

export interface ConnectedDenyList extends DenyList {
  readonly client: RedisClient
  /** Done when its connection was lost and replaced. */
  readonly connectedAnew: () => Promise<void>
}

/** A deny-list on a connection of its own, which ends with `t`. */
export async function connectDenyList(
  t: Test,
  { port }: { port: number }
): Promise<ConnectedDenyList> {
  const client = createRedisClient({ kind: 'single', url: `redis://127.0.0.1:${port}` })
  t.teardown(() => {
    client.disconnect()
  })
  // A connection that is lost is told by the command that needed it.
  client.on('error', () => undefined)
  await client.connect()
  return {
    ...createDenyList(client, () => nowMs, retentionMs),
    client,
    connectedAnew: () =>
      new Promise((resolve) => {
        client.once('ready', () => resolve())
      })
  }
}

/** Fills the deny-list with these events as the truth; `steps` may let something happen meanwhile. */
export async function fill(
  denyList: DenyList,
  events: readonly RevocationEvent[],
  steps: Partial<Filling> = {}
): Promise<string | undefined> {
  const load = async function* () {
    yield [...stateOf(events).events()]
  }
  return await denyList.fill({
    replacing: undefined,
    declare: async () => undefined,
    load,
    ...steps
  })
}

export function stateOf(events: readonly RevocationEvent[]): RevocationState {
  const state = new RevocationState()
  for (const event of events) state.apply(event)
  return state
}
