/**
 * The operator of everyone.ts, in a process of its own: beside a load that saturates its process, an answer would
 * be noticed late. It logs in, revokes everyone, and says how long the answer took and when it was there.
 */
import { createClient } from '../../test/support/client.js'
import { admin } from './deployment.js'

/** The node to ask. */
export interface RevokeOrder {
  readonly origin: string
}

export interface RevokeResult {
  readonly status: number
  readonly tookMs: number
  /** Of process.hrtime, which all processes of a machine share: in milliseconds. */
  readonly askedAtMs: number
  readonly answeredAtMs: number
}

const now = (): number => Number(process.hrtime.bigint()) / 1e6

async function revokeEveryone({ origin }: RevokeOrder): Promise<RevokeResult> {
  const { post } = createClient(origin)
  const { body: opened } = await post('/api/auth/login', { body: admin })
  const body = { target: { kind: 'everyone', confirm: 'everyone' }, reason: 'bench' }
  const askedAtMs = now()
  const { status } = await post('/api/admin/revocations', { token: opened.accessToken, body })
  const answeredAtMs = now()
  return { status, tookMs: answeredAtMs - askedAtMs, askedAtMs, answeredAtMs }
}

process.on('message', (order: RevokeOrder) => {
  void revokeEveryone(order).then(
    (result) => process.send?.(result),
    (error: unknown) => {
      console.error(error)
      process.exit(1)
    }
  )
})
