import { once } from 'node:events'
import { connect } from 'node:net'
import t, { type Test } from 'tap'
import { eventually } from '../support/eventually.js'
import { createTestDatabase } from '../support/postgres.js'
import { assertProblem } from '../support/problem-assertions.js'
import { head, openConnection, type RawConnection } from '../support/raw-connection.js'
import { type RunningService, startServiceProcess } from '../support/service-process.js'

const registration = JSON.stringify({
  email: 'ada@example.com',
  password: 'purple-otter-42-lamp',
  name: 'Ada'
})

/** Sends a registration but for the last byte, and waits until the service is at it. */
async function beginRegistration(t: Test, { port }: RunningService): Promise<RawConnection> {
  const connection = await openConnection(t, port)
  const length = `Content-Length: ${registration.length}`
  const lines = ['Content-Type: application/json', length, 'Expect: 100-continue']
  connection.write(head('POST /api/auth/register', ...lines))
  t.equal((await connection.answer()).status, 100, 'the request has begun')
  connection.write(registration.slice(0, -1))
  return connection
}

async function listenerClosed({ port }: RunningService): Promise<void> {
  await eventually(
    'no new connection is taken',
    async () => {
      const socket = connect({ host: '127.0.0.1', port })
      return await once(socket, 'connect').then(
        () => socket.destroy() && false,
        () => true
      )
    },
    { withinMs: 20_000 }
  )
}

t.test(
  'at SIGTERM readiness flips, requests in flight finish, then the process ends',
  async (t) => {
    const env = { DATABASE_URL: await createTestDatabase(t), SHUTDOWN_DELAY: '3s' }
    const service = await startServiceProcess(t, { env })
    const balancer = await openConnection(t, service.port)
    t.equal((await balancer.ask('GET /health/ready')).status, 200)
    const inFlight = await beginRegistration(t, service)
    const late = await openConnection(t, service.port)

    service.signal('SIGTERM')
    const no = await eventually('readiness says no', async () => {
      const answer = await balancer.ask('GET /health/ready')
      return answer.status === 503 && answer
    })
    assertProblem(t, no, 'SHUTTING_DOWN')
    t.equal((await service.get('/api/auth/me')).status, 401, 'others are served as ever')
    const [beginning, end] = [head('GET /health/live').slice(0, -2), '\r\n']
    late.write(beginning)

    await listenerClosed(service)
    await balancer.ended
    late.write(end)
    const goneElsewhere = await late.answer()
    assertProblem(t, goneElsewhere, 'SHUTTING_DOWN')
    t.equal(goneElsewhere.headers.get('connection'), 'close')

    inFlight.write(registration.slice(-1))
    const registered = await inFlight.answer()
    t.equal(registered.status, 201, 'registered')
    t.equal(registered.headers.get('connection'), 'close')
    t.match(await service.ended, { code: 0, signal: null, stderr: /^$/ })
  }
)

t.test('a second signal ends it at once', async (t) => {
  const env = { DATABASE_URL: await createTestDatabase(t) }
  const service = await startServiceProcess(t, { env })
  const inFlight = await beginRegistration(t, service)
  service.signal('SIGHUP')
  await listenerClosed(service)
  service.signal('SIGTERM')
  t.match(await service.ended, { code: 1, signal: null })
  await t.rejects(inFlight.answer(), { message: 'The connection ended after ""' })
})
