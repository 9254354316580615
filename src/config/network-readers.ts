import { isIP, isIPv6 } from 'node:net'
import { reader } from './reading.js'
import type { Read } from './reading.js'

/** The address to listen on, which must also fit into a URL. */
export const host: Read<string> = reader(
  'an IP address or a host name, without port or brackets',
  (text) => {
    if (isIPv6(text)) return URL.canParse(`http://[${text}]`) ? text : undefined
    return /^[a-z0-9][a-z0-9.-]{0,252}$/i.test(text) && URL.canParse(`http://${text}`)
      ? text
      : undefined
  }
)

/** An origin: scheme, host and port of http or https, in the form that browsers give it. */
export const origin: Read<string> = reader(
  'an origin such as https://auth.example.org, without path, query or credentials',
  (text) => {
    const canonical = originOf(text)
    return `${canonical}/` === parseUrl(text)?.href ? canonical : undefined
  }
)

/** A comma-separated list of origins, each exactly as browsers send it in the Origin header. */
export const origins: Read<readonly string[]> = reader(
  'a comma-separated list of exact origins such as https://app.example.org, without * or path',
  (text) => {
    const items = splitList(text)
    return items.every((item) => originOf(item) === item) ? items : undefined
  }
)

/**
 * A comma-separated list of the proxies in front. No counting of hops and no `true`, nor a range that
 * means the same: every client could then choose its own address.
 */
export const proxies: Read<readonly string[]> = reader(
  'a comma-separated list of IP addresses and CIDR ranges such as 10.0.0.0/8 or fd00::/8',
  (text) => {
    const items = splitList(text)
    return items.every(isAddressRange) ? items : undefined
  }
)

export const databaseUrl: Read<string> = reader(
  'a URL such as postgres://user:password@host:5432/database',
  (text) => (/^postgres(?:ql)?:\/\//.test(text) && URL.canParse(text) ? text : undefined)
)

function splitList(text: string): string[] {
  return text.split(',').map((item) => item.trim())
}

/** A `*` is a letter like any other to the URL parser, and a wildcard to whoever writes it. */
function originOf(text: string): string | undefined {
  const url = parseUrl(text)
  const isHttp = url?.protocol === 'http:' || url?.protocol === 'https:'
  return isHttp && !text.includes('*') ? url.origin : undefined
}

function parseUrl(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined
}

function isAddressRange(text: string): boolean {
  const [address = '', prefix, ...rest] = text.split('/')
  const version = isIP(address)
  if (version === 0 || address.includes('%') || rest.length > 0) return false
  if (prefix === undefined) return true
  return /^[1-9]\d{0,2}$/.test(prefix) && Number(prefix) <= (version === 4 ? 32 : 128)
}
