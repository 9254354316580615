import type { Config } from '../../config.js'
import { duration } from '../times.js'
import { type Check, finder } from './finding.js'

const day = 24 * 3_600
const bounds = { access: 15 * 60, idle: 14 * day, max: 90 * day, graceMs: 30_000 }

const inWords = (seconds: number) => duration(seconds * 1_000)

const accessToken: Check<Config> = ({ jwt: { accessTokenTtlSeconds: ttl } }) => {
  const { warning } = finder('ACCESS_TOKEN_TTL')
  if (ttl <= bounds.access) return undefined
  return warning(
    `Access tokens live for ${inWords(ttl)}.`,
    'Set ACCESS_TOKEN_TTL to 15m or less: so long a revocation must be remembered, and so long a stolen token works with services that verify by themselves.'
  )
}

const idleSession: Check<Config> = ({ session: { idleTtlSeconds: ttl } }) => {
  const { warning } = finder('SESSION_IDLE_TTL')
  if (ttl <= bounds.idle) return undefined
  return warning(
    `A session that nobody uses lives for ${inWords(ttl)}.`,
    'Set SESSION_IDLE_TTL to 14d or less, so that forgotten devices are logged out.'
  )
}

const longestSession: Check<Config> = ({ session: { maxTtlSeconds: ttl } }) => {
  const { warning } = finder('SESSION_MAX_TTL')
  if (ttl <= bounds.max) return undefined
  return warning(
    `A session can live for ${inWords(ttl)}.`,
    'Set SESSION_MAX_TTL to 90d or less, so that a password is asked for now and then (NIST SP 800-63B: 30 days).'
  )
}

const refreshGrace: Check<Config> = ({ refresh: { graceMs } }) => {
  const { warning } = finder('REFRESH_GRACE')
  if (graceMs <= bounds.graceMs) return undefined
  return warning(
    `A used refresh token is answered for ${duration(graceMs)}.`,
    'Set REFRESH_GRACE to 10s or so: for as long a stolen refresh token is not told from a retry.'
  )
}

export const lifetimeChecks = [accessToken, idleSession, longestSession, refreshGrace]
