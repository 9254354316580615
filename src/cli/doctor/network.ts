import type { Config } from '../../config.js'
import { forEachLimit, limitDefinitions, type RateLimit } from '../../config/rate-limits.js'
import { rateLimit } from '../../config/readers.js'
import { coverTooMany } from './address-ranges.js'
import { type Check, finder } from './finding.js'

const https: Check<Config> = ({ publicUrl }) => {
  if (publicUrl.startsWith('https:')) return undefined
  return finder('PUBLIC_URL').error(
    `Clients reach the service by ${publicUrl}, so tokens travel in clear and the refresh cookie is neither Secure nor __Host-.`,
    'Put TLS in front of it and set PUBLIC_URL to the https origin.'
  )
}

const proxyTrust: Check<Config> = ({ publicUrl, trustProxy }) => {
  const { error } = finder('TRUST_PROXY')
  if (coverTooMany(trustProxy)) {
    return error(
      `TRUST_PROXY trusts ${trustProxy.join(', ')}, and so clients on the internet: each of them chooses its own address.`,
      'Name only the addresses of the proxies in front.'
    )
  }
  if (!publicUrl.startsWith('https:') || trustProxy.length > 0) return undefined
  return error(
    'TLS ends in front of the service and TRUST_PROXY names no proxy: all clients share one address, and so one rate limit.',
    'Set TRUST_PROXY to the addresses or CIDR ranges of the proxies in front.'
  )
}

const origins: Check<Config> = ({ allowedOrigins }) => {
  const plain = allowedOrigins.filter((origin) => origin.startsWith('http:'))
  if (plain.length === 0) return undefined
  return finder('ALLOWED_ORIGINS').error(
    `Pages of ${plain.join(', ')} may call with credentials, and anybody on their way can change such pages.`,
    'Allow https origins only.'
  )
}

const rateLimits: Check<Config> = ({ rateLimits: limits }) => {
  if (limits !== 'off') return undefined
  return finder('RATE_LIMIT').error(
    'Nothing limits how often a password can be guessed.',
    'Set RATE_LIMIT to on.'
  )
}

/** So much more than what is usual limits nobody. */
const absurdFactor = 100

/** A limit that is given and limits nothing. */
const absurdLimits = Object.values(
  forEachLimit((name): Check<Config> => {
    const { variable, defaultValue } = limitDefinitions[name]
    return ({ rateLimits: limits }) => {
      if (
        limits === 'off' ||
        perMinute(limits[name]) <= absurdFactor * usualPerMinute(defaultValue)
      ) {
        return undefined
      }
      const { max, windowMs } = limits[name]
      return finder(variable).error(
        `${variable} allows ${max} in ${windowMs / 1_000} s, which is as good as no limit.`,
        `Set ${variable} near its default, ${defaultValue}.`
      )
    }
  })
)

const perMinute = ({ max, windowMs }: RateLimit): number => (max / windowMs) * 60_000

function usualPerMinute(defaultValue: string): number {
  const usual = rateLimit(defaultValue)
  return usual.kind === 'value' ? perMinute(usual.value) : Infinity
}

export const networkChecks = [https, proxyTrust, origins, rateLimits, ...absurdLimits]
