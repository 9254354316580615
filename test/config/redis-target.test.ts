import fc from 'fast-check'
import t from 'tap'
import { loadConfig } from '../../src/config.js'
import { redisTarget } from '../../src/config/redis-target.js'
import { configErrorOf, refusals } from '../support/config.js'

const read = (url: string) => loadConfig({ REDIS_URL: url }).redis
const anonymous = { username: undefined, password: undefined }

t.test('one URL is one Redis', async (t) => {
  for (const url of [
    'redis://cache',
    'rediss://:pw@cache:6380/1',
    'redis://user:p%40ss@[::1]:6379/0'
  ]) {
    t.strictSame(read(url), { kind: 'single', url })
  }
})

t.test('a list of URLs is a Cluster', async (t) => {
  t.strictSame(read('redis://a,redis://[::1]:7000/, redis://c:7001/0'), {
    kind: 'cluster',
    nodes: [
      { host: 'a', port: 6379 },
      { host: '::1', port: 7000 },
      { host: 'c', port: 7001 }
    ],
    tls: false,
    ...anonymous
  })
  t.strictSame(read('rediss://me:p%2Cw@a,rediss://me:p%2Cw@b'), {
    kind: 'cluster',
    nodes: [
      { host: 'a', port: 6379 },
      { host: 'b', port: 6379 }
    ],
    tls: true,
    username: 'me',
    password: 'p,w'
  })
})

t.test('sentinels are named with what they look after', async (t) => {
  t.strictSame(read('redis+sentinel://a/main'), {
    kind: 'sentinel',
    sentinels: [{ host: 'a', port: 26_379 }],
    name: 'main',
    db: 0,
    tls: false,
    ...anonymous,
    sentinelUsername: undefined,
    sentinelPassword: undefined
  })
  const full =
    'rediss+sentinel://me:p%40w@a:1,[::1]:2,c/main-1?db=3&sentinelUsername=s&sentinelPassword=q%26r'
  t.strictSame(read(full), {
    kind: 'sentinel',
    sentinels: [
      { host: 'a', port: 1 },
      { host: '::1', port: 2 },
      { host: 'c', port: 26_379 }
    ],
    name: 'main-1',
    db: 3,
    tls: true,
    username: 'me',
    password: 'p@w',
    sentinelUsername: 's',
    sentinelPassword: 'q&r'
  })
})

t.test('one message tells all that is wrong', async (t) => {
  const faults = {
    'redis://a/x?y#z': ['the database must be a number', 'nothing may follow a ? or #'],
    'redis://:50%@a': ['user and password must be percent-encoded'],
    'redis://a/1,rediss://b,http://c,': [
      'item 3 is not redis:// or rediss:// with a host',
      'item 4 is not redis:// or rediss:// with a host',
      'a Cluster has no other database than 0',
      'all items must be redis:// or all rediss://'
    ],
    'redis://u:a@a,redis://u:b@b': ['all items must have the same user and password'],
    'redis://u:a@a,redis://b': ['all items must have the same user and password'],
    'redis+sentinel://': [
      'sentinel 1 is not host:port',
      'the name of the primary must follow the sentinels, as /name'
    ],
    'redis+sentinel://:50%@a,b:x/a/b?db=one&db=2&family=6#c': [
      'nothing may follow a #',
      'sentinel 2 is not host:port',
      'the name of the primary must follow the sentinels, as /name',
      'user and password must be percent-encoded',
      'the parameters are db, sentinelUsername, sentinelPassword, each at most once',
      'db must be a number'
    ]
  }
  for (const [url, expected] of Object.entries(faults)) {
    const [, , , ...told] = (refusals({ REDIS_URL: url })['REDIS_URL'] ?? '').split('; ')
    t.strictSame(told, expected, url)
  }
})

t.test('no part of what was given is quoted', async (t) => {
  const canary = 'c4n4ry'
  for (const url of [
    canary,
    `http://:${canary}@a`,
    `redis://:${canary}@a/x`,
    `redis://:${canary},${canary}@a`,
    `redis://:${canary}@a,redis://:x${canary}@b/${canary}`,
    `redis+sentinel://:${canary}@a@b/${canary}/`,
    `redis+sentinel://${canary}:${canary}/?${canary}=${canary}&sentinelPassword=${canary}#${canary}`
  ]) {
    const { message } = configErrorOf(() => loadConfig({ REDIS_URL: url }))
    t.notMatch(message, canary, url)
  }
})

t.test('whatever is given, there is an answer, and a target has all its parts', async (t) => {
  const part = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 8 }),
    fc.constantFrom('redis://', 'rediss://', 'redis+sentinel://', 'a', ':1', ',', '/', '@', '?db=1')
  )
  fc.assert(
    fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
      const reading = redisTarget(parts.join(''))
      if (reading.kind === 'wrong') return true
      const target = reading.value
      const addresses =
        target.kind === 'single' ? [] : target.kind === 'cluster' ? target.nodes : target.sentinels
      return addresses.every(({ host, port }) => host !== '' && port >= 0 && port < 65_536)
    })
  )
  t.pass('held')
})
