/**
 * Registers the Redis plugin with the url of its argument, writes what came of it as a line of JSON,
 * closes it, and ends when nothing of it is left.
 */
import Fastify from 'fastify'
import { loadConfig } from '../../src/config.js'
import redis from '../../src/plugins/redis.js'
import { createTestLog } from './test-log.js'

const [url] = process.argv.slice(2)
const log = createTestLog()
const app = Fastify({ logger: { stream: log } })
await app.register(redis, { target: loadConfig({ REDIS_URL: url }).redis })
const answer = await app.redis?.ping().catch(() => 'no answer')
await app.close()
process.stdout.write(`${JSON.stringify({ answer, log: log.lines })}\n`)
