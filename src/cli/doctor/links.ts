import { isIP } from 'node:net'
import type { Config } from '../../config.js'
import { type Check, finder } from './finding.js'

/** How a server is reached. */
interface Link {
  readonly hosts: readonly string[]
  readonly isEncrypted: boolean
  readonly hasPassword: boolean
}

const databaseLink = ({ databaseUrl }: Config): Link | undefined => {
  if (databaseUrl === undefined || !URL.canParse(databaseUrl)) return undefined
  const url = new URL(databaseUrl)
  const { searchParams } = url
  // As postgres.js takes it: prefer and allow go on in clear where TLS is refused.
  const mode = searchParams.get('sslmode') ?? searchParams.get('ssl') ?? 'disable'
  const isEncrypted = ['require', 'verify-ca', 'verify-full', 'true'].includes(mode)
  const host = searchParams.get('host') ?? decodeURIComponent(url.hostname)
  return { hosts: [host], isEncrypted, hasPassword: url.password !== '' }
}

const redisLink = ({ redis }: Config): Link | undefined => {
  if (redis === undefined) return undefined
  if (redis.kind === 'single') {
    const { hostname, protocol, password } = new URL(redis.url)
    const isEncrypted = protocol === 'rediss:'
    return { hosts: [hostname], isEncrypted, hasPassword: password !== '' }
  }
  const addresses = redis.kind === 'cluster' ? redis.nodes : redis.sentinels
  return {
    hosts: addresses.map(({ host }) => host),
    isEncrypted: redis.tls,
    hasPassword: redis.password !== undefined
  }
}

/** Loopback, or a socket in the file system. */
function isOnThisMachine(host: string): boolean {
  const address = host.replace(/^\[|\]$/g, '')
  if (address === '' || address.startsWith('/') || address === 'localhost') return true
  return address === '::1' || (isIP(address) === 4 && address.startsWith('127.'))
}

const remote = (link: Link | undefined): Link | undefined =>
  link?.hosts.every(isOnThisMachine) ? undefined : link

const clearText =
  (server: string, linkOf: (config: Config) => Link | undefined, advice: string): Check<Config> =>
  (config) => {
    const link = remote(linkOf(config))
    if (link === undefined || link.isEncrypted) return undefined
    return finder(`${server.toLowerCase()}-tls`).warning(
      `What is said to ${server}, its password included, goes over the network in clear.`,
      `${advice}, unless nobody else is on that network.`
    )
  }

const noPassword =
  (server: string, linkOf: (config: Config) => Link | undefined, advice: string): Check<Config> =>
  (config) => {
    const link = remote(linkOf(config))
    if (link === undefined || link.hasPassword) return undefined
    return finder(`${server.toLowerCase()}-password`).error(
      `${server} is on another machine and no password is sent to it: whoever reaches it may change what was revoked.`,
      advice
    )
  }

export const linkChecks = [
  clearText('Postgres', databaseLink, 'Add ?sslmode=verify-full to DATABASE_URL'),
  clearText('Redis', redisLink, 'Use TLS, with rediss:// in REDIS_URL'),
  noPassword('Postgres', databaseLink, 'Have it ask for one, and put it into DATABASE_URL.'),
  noPassword('Redis', redisLink, 'Set requirepass there, and put the password into REDIS_URL.')
]
