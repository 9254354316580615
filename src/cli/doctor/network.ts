import { isIPv4 } from 'node:net'
import type { Config } from '../../config.js'
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
  const tooWide = trustProxy.find(isTooWide)
  if (tooWide !== undefined) {
    return error(
      `TRUST_PROXY trusts ${tooWide}, which is most of a network: clients in it choose their own address.`,
      'Name only the addresses of the proxies in front.'
    )
  }
  if (!publicUrl.startsWith('https:') || trustProxy.length > 0) return undefined
  return error(
    'TLS ends in front of the service and TRUST_PROXY names no proxy: all clients share one address, and so one rate limit.',
    'Set TRUST_PROXY to the addresses or CIDR ranges of the proxies in front.'
  )
}

function isTooWide(range: string): boolean {
  const [address = '', prefix] = range.split('/')
  if (prefix === undefined) return false
  return Number(prefix) < (isIPv4(address) ? 8 : 7)
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

export const networkChecks = [https, proxyTrust, origins, rateLimits]
