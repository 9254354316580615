import Fastify from 'fastify'
import t from 'tap'
import database from '../../src/plugins/database.js'
import { createTestDatabase } from '../support/postgres.js'
import { createTestLog } from '../support/test-log.js'
import { startTlsProxy } from '../support/tls-proxy.js'

t.test('the database is there for every plugin and closes with the app', async (t) => {
  const app = Fastify()
  await app.register(database, { url: await createTestDatabase(t) })
  await app.database.ping()
  await app.close()
  await t.rejects(app.database.ping(), { name: 'DatabaseUnavailable', reason: 'closed' })
})

t.test('a service starts beside a database that is away, and says so', async (t) => {
  const log = createTestLog()
  const app = Fastify({ logger: { stream: log } })
  t.teardown(() => app.close())
  await app.register(database, { url: 'postgres://keycard:s3cret@127.0.0.1:1/keycard' })
  await t.rejects(app.database.ping(), { name: 'DatabaseUnavailable' })
  await log.heard('The database is away')
  t.same(log.lines, [
    { level: 'warn', message: 'The database is away', fields: { code: 'ECONNREFUSED' } }
  ])
})

t.test('TLS to the database', async (t) => {
  const url = new URL(await createTestDatabase(t))
  url.port = String(await startTlsProxy(t, Number(url.port), { startTls: true }))

  for (const mode of ['require', 'prefer']) {
    t.test(`is spoken with sslmode=${mode}`, async (t) => {
      const app = Fastify()
      t.teardown(() => app.close())
      url.search = `sslmode=${mode}`
      await app.register(database, { url: url.href })
      await app.database.ping()
    })
  }

  t.test('is refused by sslmode=verify-full where the certificate is not trusted', async (t) => {
    const log = createTestLog()
    const app = Fastify({ logger: { stream: log } })
    t.teardown(() => app.close())
    url.search = 'sslmode=verify-full'
    await app.register(database, { url: url.href })
    await t.rejects(app.database.ping(), { name: 'DatabaseUnavailable' })
    await log.heard('The database is away')
    t.match(log.lines, [{ fields: { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' } }])
  })
})
