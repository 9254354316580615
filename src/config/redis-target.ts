import type {
  ClusterRedis,
  RedisAddress,
  RedisCredentials,
  RedisTarget,
  SentinelRedis,
  SingleRedis
} from '../redis/target.js'
import { value, wrong } from './reading.js'
import type { Read } from './reading.js'

const allowed =
  'redis:// or rediss:// with host, port and /database; for Cluster a comma-separated list of ' +
  'those; for Sentinel redis+sentinel:// or rediss+sentinel:// with host:port,host:port/name?db=0'

/** Notes a fault. Never with a part of the text: it may be a secret. */
type Note = (fault: string) => void

/** Reads the URL of one Redis, of a Cluster or of what sentinels look after; tells all that is wrong. */
export const redisTarget: Read<RedisTarget> = (text) => {
  const faults = new Set<string>()
  const target = parse(text, (fault) => faults.add(fault))
  if (target !== undefined && faults.size === 0) return value(target)
  return wrong([allowed, ...faults].join('; '))
}

function parse(text: string, note: Note): RedisTarget | undefined {
  if (/^rediss?\+sentinel:/.test(text)) return parseSentinel(text, note)
  return text.includes(',') ? parseCluster(text, note) : parseSingle(text, note)
}

function parseSingle(url: string, note: Note): SingleRedis | undefined {
  const parsed = parseServer(url)
  if (parsed === undefined) return undefined
  if (!/^(?:\/\d{0,4})?$/.test(parsed.pathname)) note('the database must be a number')
  noteWhatIsTooMuch(parsed, note)
  credentialsOf(parsed, note)
  return { kind: 'single', url }
}

function parseCluster(text: string, note: Note): ClusterRedis | undefined {
  const servers = text.split(',').map((item) => parseServer(item.trim()))
  for (const [index, server] of servers.entries()) {
    if (server === undefined) note(`item ${index + 1} is not redis:// or rediss:// with a host`)
  }
  const urls = servers.filter((server) => server !== undefined)
  const [first] = urls
  if (first === undefined) return undefined
  for (const url of urls) {
    if (!/^\/?0?$/.test(url.pathname)) note('a Cluster has no other database than 0')
    noteWhatIsTooMuch(url, note)
    if (url.protocol !== first.protocol) note('all items must be redis:// or all rediss://')
    if (url.username !== first.username || url.password !== first.password) {
      note('all items must have the same user and password')
    }
  }
  return {
    kind: 'cluster',
    nodes: urls.map((url) => addressOf(url, 6379)),
    tls: first.protocol === 'rediss:',
    ...credentialsOf(first, note)
  }
}

// Several hosts are no URL: each of them is read as one.
const sentinelUrl =
  /^(?<scheme>rediss?)\+sentinel:\/\/(?<user>[^/?#]*@)?(?<hosts>[^/?#@]*)(?:\/(?<name>[^?#]*))?(?<query>\?[^#]*)?(?<rest>#.*)?$/s

function parseSentinel(text: string, note: Note): SentinelRedis | undefined {
  const parts = sentinelUrl.exec(text)?.groups
  if (parts === undefined) return undefined
  const { scheme, user = '', hosts = '', name = '', query = '', rest } = parts
  if (rest !== undefined) note('nothing may follow a #')
  const sentinels = hosts.split(',').map((host) => parseServer(`redis://${host}`))
  for (const [index, sentinel] of sentinels.entries()) {
    if (sentinel === undefined || sentinel.pathname !== '') {
      note(`sentinel ${index + 1} is not host:port`)
    }
  }
  // Sentinel itself takes no other names.
  if (!/^[\w.-]+$/.test(name)) note('the name of the primary must follow the sentinels, as /name')
  const bearer = parseServer(`redis://${user}host`)
  if (bearer === undefined) note('user and password must be percent-encoded')
  return {
    kind: 'sentinel',
    sentinels: sentinels
      .filter((sentinel) => sentinel !== undefined)
      .map((sentinel) => addressOf(sentinel, 26_379)),
    name,
    tls: scheme === 'rediss',
    ...(bearer === undefined ? noCredentials : credentialsOf(bearer, note)),
    ...parseSentinelQuery(new URLSearchParams(query), note)
  }
}

function parseSentinelQuery(query: URLSearchParams, note: Note) {
  const known = ['db', 'sentinelUsername', 'sentinelPassword']
  const names = [...query.keys()]
  if (!names.every((name, index) => known.includes(name) && names.indexOf(name) === index)) {
    note(`the parameters are ${known.join(', ')}, each at most once`)
  }
  const db = query.get('db') ?? '0'
  if (!/^\d{1,4}$/.test(db)) note('db must be a number')
  return {
    db: Number(db),
    sentinelUsername: query.get('sentinelUsername') || undefined,
    sentinelPassword: query.get('sentinelPassword') || undefined
  }
}

/** The client would take parameters for options of its own, and lose its deadlines to a typo. */
function noteWhatIsTooMuch({ search, hash }: URL, note: Note): void {
  if (search !== '' || hash !== '') note('nothing may follow a ? or #')
}

function parseServer(text: string): URL | undefined {
  if (!/^rediss?:\/\//.test(text) || !URL.canParse(text)) return undefined
  const url = new URL(text)
  return url.hostname === '' ? undefined : url
}

function addressOf({ hostname, port }: URL, defaultPort: number): RedisAddress {
  // Brackets belong to the URL, not to the address.
  return {
    host: hostname.replaceAll(/^\[|\]$/g, ''),
    port: port === '' ? defaultPort : Number(port)
  }
}

const noCredentials: RedisCredentials = { username: undefined, password: undefined }

function credentialsOf({ username, password }: URL, note: Note): RedisCredentials {
  try {
    return {
      username: decodeURIComponent(username) || undefined,
      password: decodeURIComponent(password) || undefined
    }
  } catch {
    note('user and password must be percent-encoded')
    return noCredentials
  }
}
