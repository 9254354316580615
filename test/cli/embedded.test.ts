import t from 'tap'
import { createCli } from '../support/cli.js'
import { ownPort } from '../support/own-port.js'
import { preparedDataDir } from '../support/prepared-data-dir.js'
import { listening } from '../support/service-process.js'
import { assertDead, logIn, me, tokensOf, verdict } from '../support/session-calls.js'

t.setTimeout(300_000)

const ada = { email: 'ada@example.com', password: 'purple-otter-42-lamp', name: 'Ada' }

t.test(
  'the embedded Postgres of a service is shared while it runs, and started after',
  async (t) => {
    const env = { KEYCARD_DATA_DIR: await preparedDataDir(t), PORT: String(await ownPort()) }
    const cli = await createCli(t, env)
    const because = ['--reason', 'a drill', '--yes', '--json'] as const

    const service = await listening(await cli.start(['start']))
    t.equal((await service.get('/health/ready')).status, 200, 'keycard start is the service')
    const body = { ...ada, tokenDelivery: 'body' }
    const first = tokensOf(await service.post('/api/auth/register', { body }))
    const minted = await cli.run(['mint', ada.email, '--json'])
    t.equal(verdict(await me(service, minted.json.accessToken ?? '')), 200)
    const up = await cli.run(['revoke', 'session', first.sessionId, ...because])
    t.match(up, { code: 0, json: { receipt: { nodes: [{ how: 'applied' }] } } })
    await assertDead(t, service, first)

    const second = tokensOf(await logIn(service, ada))
    service.signal('SIGINT')
    t.match(await service.ended, { code: 0 })
    const down = await cli.run(['revoke', 'everyone', ...because])
    t.match(down, { code: 0, json: { receipt: { nodes: { length: 0 } } } })

    const again = await listening(await cli.start(['start']))
    await assertDead(t, again, second)
  }
)
