import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { problem } from '../problems.js'
import { closed } from './schemas.js'

const ReadySchema = closed({
  status: Type.Literal('ready'),
  database: Type.Literal('up'),
  redis: Type.Union([Type.Literal('up'), Type.Literal('away'), Type.Literal('none')], {
    description: 'Without Redis the service decides from Postgres'
  })
})

export interface HealthRoutesOptions {
  /** True as soon as the process was told to stop. */
  readonly isStopping: () => boolean
}

/** For orchestrators: live says that the process answers, ready that it can do its work. */
const healthRoutes: FastifyPluginAsyncTypebox<HealthRoutesOptions> = async function healthRoutes(
  app,
  { isStopping }
) {
  app.get(
    '/live',
    {
      schema: {
        summary: 'Does the process answer?',
        tags: ['Health'],
        response: { 200: closed({ status: Type.Literal('live') }) }
      }
    },
    async function live() {
      return { status: 'live' as const }
    }
  )

  app.get(
    '/ready',
    {
      schema: {
        summary: 'Can it do its work?',
        description: '503 names the part that fails.',
        tags: ['Health'],
        response: { 200: ReadySchema }
      }
    },
    async function ready() {
      if (isStopping()) throw problem('SHUTTING_DOWN')
      try {
        await app.database.ping()
      } catch (error) {
        throw problem('DEPENDENCY_UNAVAILABLE', {
          detail: 'Postgres does not answer.',
          cause: error
        })
      }
      return { status: 'ready' as const, database: 'up' as const, redis: redisStatus(app) }
    }
  )
}

export default healthRoutes

function redisStatus({ redis }: FastifyInstance): 'up' | 'away' | 'none' {
  if (redis === undefined) return 'none'
  return redis.status === 'ready' ? 'up' : 'away'
}
