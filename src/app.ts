import Fastify, { type FastifyInstance } from 'fastify'
import { bootstrapAdmin } from './accounts/bootstrap-admin.js'
import { createRefusals } from './audit/refusals.js'
import { createIntrospection } from './clients/introspection.js'
import { createTokenRevocation } from './clients/token-revocation.js'
import { createCanary } from './canary/canary.js'
import { type Clock, systemClock } from './clock.js'
import type { Config } from './config.js'
import { every } from './every.js'
import { createIncidentKeeper } from './incidents/keeper.js'
import { createLoginSpread } from './incidents/login-spread.js'
import { boundsOf, fastifyOptions, type HttpServerOptions } from './http-server.js'
import audit from './plugins/audit.js'
import canaryPlugin from './plugins/canary.js'
import closing from './plugins/closing.js'
import crossOrigin from './plugins/cross-origin.js'
import database from './plugins/database.js'
import docs from './plugins/docs.js'
import guard from './plugins/guard.js'
import handlerDeadline from './plugins/handler-deadline.js'
import jsonBody from './plugins/json-body.js'
import limits from './plugins/limits.js'
import metrics from './plugins/metrics.js'
import methodNotAllowed from './plugins/method-not-allowed.js'
import overload from './plugins/overload.js'
import problems from './plugins/problems.js'
import redis from './plugins/redis.js'
import refreshCookie from './plugins/refresh-cookie.js'
import requestHeaders from './plugins/request-headers.js'
import requireAdmin from './plugins/require-admin.js'
import revocation from './plugins/revocation.js'
import revocationMetrics from './plugins/revocation-metrics.js'
import securityHeaders from './plugins/security-headers.js'
import validation from './plugins/validation.js'
import adminAuditRoutes from './routes/admin/audit.js'
import adminClientRoutes from './routes/admin/clients.js'
import adminNodeRoutes from './routes/admin/nodes.js'
import adminIncidentRoutes from './routes/admin/incidents.js'
import adminRevocationRoutes from './routes/admin/revocations.js'
import adminUserRoutes from './routes/admin/users.js'
import authRoutes from './routes/auth.js'
import healthRoutes from './routes/health.js'
import logoutRoutes from './routes/logout.js'
import meRoutes from './routes/me.js'
import nodeRoutes from './routes/nodes.js'
import oauthRoutes from './routes/oauth.js'
import problemRoutes from './routes/problems.js'
import refreshRoutes from './routes/refresh.js'
import sessionRoutes from './routes/sessions.js'
import wellKnownRoutes from './routes/well-known.js'
import { createPostgresRegistry } from './revocation/registry.js'
import { createServices } from './services.js'
import type { AccessTokens } from './tokens/access-tokens.js'
import { translateError } from './translate-error.js'

const cleanUpMs = 60_000

export interface AppOptions {
  readonly config: Config
  /** A database that is migrated. */
  readonly databaseUrl: string
  readonly accessTokens: AccessTokens
  readonly refreshSecret: string
  readonly clock?: Clock
  /** True as soon as the process was told to stop: readiness says so before the server closes. */
  readonly isStopping?: () => boolean
  readonly http?: HttpServerOptions
}

/** Builds the app, ready to listen. Where that fails, nothing of it stays open. */
export async function buildApp(options: AppOptions): Promise<FastifyInstance> {
  const app = Fastify(fastifyOptions(options.config, options.http))
  try {
    await compose(app, options)
    return app
  } catch (error) {
    await app.close()
    throw error
  }
}

/** The composition root: every plugin, service and route, in order. */
async function compose(app: FastifyInstance, options: AppOptions): Promise<void> {
  const { config, accessTokens, clock = systemClock, isStopping = () => false } = options

  const loginSpread = createLoginSpread({ clock })
  await app.register(handlerDeadline, boundsOf(options.http ?? {}))
  await app.register(problems, { translate: (error) => translateError(error, loginSpread) })
  await app.register(securityHeaders, { publicUrl: config.publicUrl })
  await app.register(requestHeaders)
  await app.register(jsonBody)
  await app.register(validation)
  await app.register(crossOrigin, {
    publicUrl: config.publicUrl,
    allowedOrigins: config.allowedOrigins
  })
  await app.register(closing)
  await app.register(overload)
  await app.register(docs, { publicUrl: config.publicUrl })
  await app.register(metrics, {
    token: config.metricsToken,
    isOpen: config.environment === 'development'
  })
  await app.register(database, { url: options.databaseUrl })
  await app.register(redis, { target: config.redis })
  await app.register(limits, { limits: config.rateLimits, redis: app.redis, loginSpread })
  await app.register(revocation, {
    redisTarget: config.redis,
    ...config.revocation,
    accessTokenTtlSeconds: config.jwt.accessTokenTtlSeconds,
    clock
  })
  await app.register(revocationMetrics)
  await app.register(guard, { accessTokens, check: app.revocation.check })
  await app.register(refreshCookie, { secure: config.publicUrl.startsWith('https:') })

  const { passwords, sessions, accounts, administration, clients, revocations, incidents } =
    createServices({
      config,
      database: app.database,
      revocation: app.revocation,
      accessTokens,
      refreshSecret: options.refreshSecret,
      loginSpread,
      clock
    })
  const keeper = createIncidentKeeper({ incidents, log: app.log })
  app.addHook('onClose', () => keeper.stop())

  await app.register(requireAdmin, {
    accounts,
    recordRefusal: createRefusals({ database: app.database, clock })
  })

  const prefix = '/api/auth'
  await app.register(authRoutes, { prefix, accounts, registration: config.registration })
  await app.register(refreshRoutes, { prefix, sessions, loginSpread })
  await app.register(logoutRoutes, { prefix, accounts, sessions, accessTokens })
  await app.register(meRoutes, { prefix, accounts })
  await app.register(sessionRoutes, { prefix, sessions })
  await app.register(adminAuditRoutes, { prefix: '/api/admin', database: app.database })
  await app.register(adminClientRoutes, { prefix: '/api/admin', clients })
  await app.register(adminRevocationRoutes, { prefix: '/api/admin', revocations })
  await app.register(adminUserRoutes, { prefix: '/api/admin', administration, sessions })
  await app.register(adminNodeRoutes, {
    prefix: '/api/admin',
    readRoster: app.revocation.readRoster
  })
  await app.register(adminIncidentRoutes, { prefix: '/api/admin', incidents, keeper })
  await app.register(oauthRoutes, {
    prefix: '/oauth',
    clients,
    introspect: createIntrospection({ database: app.database, accessTokens, sessions, accounts }),
    revokePresented: createTokenRevocation({
      accessTokens,
      sessions,
      revocation: app.revocation,
      clock
    })
  })
  await app.register(nodeRoutes, {
    prefix: '/api/nodes',
    clients,
    registryOf: (clientId) => createPostgresRegistry(app.database, clock, clientId)
  })
  await app.register(wellKnownRoutes, {
    prefix: '/.well-known',
    publicUrl: config.publicUrl,
    accessTokens
  })
  await app.register(healthRoutes, { prefix: '/health', isStopping })
  await app.register(problemRoutes, { prefix: '/problems' })
  await app.register(methodNotAllowed)

  if (config.canary !== undefined) {
    const { targets, intervalMs } = config.canary
    const canary = createCanary({ database: app.database, sessions, targets, clock, log: app.log })
    await app.register(canaryPlugin, { canary, intervalMs })
  }

  await app.register(audit, { ...config.audit, clock })
  const cleaning = every(cleanUpMs, () => sessions.cleanUp())
  app.addHook('onClose', () => cleaning.stop())
  if (config.bootstrapAdmin !== undefined) {
    await bootstrapAdmin({ database: app.database, passwords, clock }, config.bootstrapAdmin)
  }
}
