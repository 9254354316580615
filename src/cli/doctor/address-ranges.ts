import { isIPv4 } from 'node:net'

interface Range {
  readonly width: 32 | 128
  readonly first: bigint
  readonly size: bigint
}

/** Nobody's on the internet: RFC 1918, 6598, 3927 and 4193, and what a machine calls itself. */
const privateRanges = [
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '100.64.0.0/10',
  '169.254.0.0/16',
  '127.0.0.0/8',
  'fc00::/7',
  'fe80::/10',
  '::1/128'
].map(rangeOf)

/** So many public addresses are more than any proxies have: a /8 of IPv4, a /20 of IPv6. */
const tooMany = { 32: 1n << 24n, 128: 1n << 108n } as const

/** Whether CIDR ranges together hold so many public addresses that anybody's may be among them. */
export function coverTooMany(ranges: readonly string[]): boolean {
  const found = ranges.map(rangeOf).filter((range) => !isPrivate(range))
  return ([32, 128] as const).some((width) => {
    const sorted = found
      .filter((range) => range.width === width)
      .sort((a, b) => (a.first < b.first ? -1 : 1))
    let [covered, end] = [0n, 0n]
    for (const { first, size } of sorted) {
      const next = first + size
      if (next > end) covered += next - (first > end ? first : end)
      end = next > end ? next : end
    }
    return covered >= tooMany[width]
  })
}

function isPrivate({ width, first, size }: Range): boolean {
  return privateRanges.some(
    (range) =>
      range.width === width && first >= range.first && first + size <= range.first + range.size
  )
}

/** A range of IPv4-mapped addresses is the one of IPv4 that it stands for. */
function rangeOf(range: string): Range {
  const [address = '', bits] = range.split('/')
  if (isIPv4(address)) return aligned(32, valueOf(address.split('.'), 8n), Number(bits ?? 32))
  const value = valueOf(
    groupsOf(address).map((group) => `0x${group}`),
    16n
  )
  const prefix = Number(bits ?? 128)
  const isMapped = value >> 32n === 0xffffn && prefix >= 96
  return isMapped ? aligned(32, value & 0xffff_ffffn, prefix - 96) : aligned(128, value, prefix)
}

function aligned(width: Range['width'], value: bigint, prefix: number): Range {
  const size = 1n << BigInt(width - prefix)
  return { width, first: value - (value % size), size }
}

function valueOf(parts: readonly string[], bits: bigint): bigint {
  return parts.reduce((value, part) => (value << bits) | BigInt(part), 0n)
}

/** All eight, as the URL parser writes them out but for the longest run of zeros. */
function groupsOf(address: string): string[] {
  const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::')
  const before = head === '' ? [] : head.split(':')
  const after = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => '0')
  return [...before, ...zeros, ...after]
}
