import Fastify from 'fastify'
import t from 'tap'
import overload from '../../src/plugins/overload.js'
import problems from '../../src/plugins/problems.js'

t.test('a saturated event loop answers 503, health checks excepted, and recovers', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(problems, {})
  await app.register(overload, { sampleMs: 1_000 })
  app.get('/work', async () => 'done')
  app.get('/health/live', async () => 'live')
  t.equal((await app.inject('/work')).statusCode, 200)

  // Nothing else runs meanwhile, so the next sample of the delay covers all of it.
  const end = performance.now() + 3_000
  while (performance.now() < end);
  const isSaturated = async () => (await app.inject('/work')).statusCode === 503
  while (!(await isSaturated())) await new Promise(setImmediate)

  const refused = await app.inject('/work')
  t.equal(refused.json<{ code: string }>().code, 'OVERLOADED')
  t.match(refused.headers['retry-after'], /^\d+$/)
  t.equal((await app.inject('/health/live')).statusCode, 200)

  while (await isSaturated()) await new Promise((resolve) => setTimeout(resolve, 50))
})
