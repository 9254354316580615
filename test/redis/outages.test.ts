import t, { type Test } from 'tap'
import { createRedisClient, type RedisClient } from '../../src/redis/client.js'
import { reportOutages } from '../../src/redis/outages.js'
import { createTestLog, type TestLog } from '../support/test-log.js'

t.test('what Redis says is logged up to its first word', async (t) => {
  const { redis, log } = report(t)
  const echo =
    'ERR unknown command `HELLO`, with args beginning with: `3` `AUTH` `default` `s3cret`'
  redis.emit('error', Object.assign(new Error(echo), { name: 'ReplyError' }))
  t.same(log.lines, [{ level: 'warn', message: 'Redis is away', fields: { reason: 'ERR' } }])
})

t.test('an outage is told by its first reason, and once', async (t) => {
  const { redis, log } = report(t)
  redis.emit('error', Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }))
  redis.emit('error', new Error('another'))
  redis.emit('close')
  redis.emit('ready')
  redis.emit('close')
  redis.emit('close')
  t.same(
    log.lines.map(({ message, fields }) => [message, fields]),
    [
      ['Redis is away', { reason: 'ECONNREFUSED' }],
      ['Redis is back', {}],
      ['Redis is away', { reason: 'no connection' }]
    ]
  )
})

function report(t: Test): { redis: RedisClient; log: TestLog } {
  const log = createTestLog()
  const redis = createRedisClient({ kind: 'single', url: 'redis://127.0.0.1:1' })
  t.teardown(() => redis.disconnect())
  reportOutages(redis, log)
  return { redis, log }
}
