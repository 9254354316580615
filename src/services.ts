import { createAccounts } from './accounts/accounts.js'
import { createAdministration } from './accounts/administration.js'
import type { Clock } from './clock.js'
import { createClients } from './clients/clients.js'
import type { Config } from './config.js'
import type { Database } from './database/connection.js'
import { createIncidents } from './incidents/incidents.js'
import type { LoginSpread } from './incidents/login-spread.js'
import { createOperatorRevocations } from './operators/revocations.js'
import { createPasswords } from './passwords/passwords.js'
import type { RevocationService } from './revocation/revocation.js'
import { createSessions } from './sessions/sessions.js'
import type { AccessTokens } from './tokens/access-tokens.js'

export interface ServiceOptions {
  readonly config: Config
  readonly database: Database
  readonly revocation: RevocationService
  readonly accessTokens: AccessTokens
  readonly refreshSecret: string
  /** For a process that answers logins. */
  readonly loginSpread?: LoginSpread
  readonly clock: Clock
}

export type Services = ReturnType<typeof createServices>

/** The domain, built once for each process: behind the routes, and behind the commands of operators. */
export function createServices(options: ServiceOptions) {
  const { config, database, revocation, accessTokens, refreshSecret, clock } = options
  const passwords = createPasswords({ ...config.passwords, threadPoolSize: config.threadPoolSize })
  const sessions = createSessions({
    database,
    revocation,
    accessTokens,
    refreshSecret,
    idleTtlSeconds: config.session.idleTtlSeconds,
    maxTtlSeconds: config.session.maxTtlSeconds,
    graceMs: config.refresh.graceMs,
    clock
  })
  const accounts = createAccounts({ database, passwords, sessions, revocation, clock })
  const revocations = createOperatorRevocations({
    database,
    revocation,
    sessions,
    accounts,
    accessTokenTtlSeconds: config.jwt.accessTokenTtlSeconds,
    clock
  })
  const incidents = createIncidents({
    database,
    revocation,
    passwords,
    idleTtlSeconds: config.session.idleTtlSeconds,
    accessTokenTtlSeconds: config.jwt.accessTokenTtlSeconds,
    loginSpread: options.loginSpread,
    clock
  })
  return {
    passwords,
    sessions,
    accounts,
    administration: createAdministration({ database, passwords, revocation, clock }),
    clients: createClients({ database, clock }),
    revocations,
    incidents
  }
}
