import { isIP } from 'node:net'
import { type SQL, sql, type SQLWrapper } from 'drizzle-orm'

const mappedPrefix = /^::ffff:/i

/**
 * Reads an address or a CIDR range into the form `address/bits`. A range of IPv4-mapped addresses
 * becomes the one of IPv4 that it stands for. @returns undefined for anything else
 */
export function parseIpRange(text: string): string | undefined {
  const [address = '', bitsText, ...rest] = text.split('/')
  const version = isIP(address)
  if (version === 0 || address.includes('%') || rest.length > 0) return undefined
  const width = version === 4 ? 32 : 128
  if (bitsText !== undefined && !/^\d{1,3}$/.test(bitsText)) return undefined
  const bits = bitsText === undefined ? width : Number(bitsText)
  if (bits > width) return undefined
  const mapped = address.replace(mappedPrefix, '')
  return isIP(mapped) === 4 && version === 6 && bits >= 96
    ? `${mapped}/${bits - 96}`
    : `${address}/${bits}`
}

const byte = '(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])'
const v4 = `(${byte}\\.){3}${byte}`
const group = '[0-9a-f]{1,4}'
/** With `::`, which stands for one group at least. */
const shortened = Array.from({ length: 6 }, (_, index) => {
  const after = index + 1
  return `(${group}:){1,${7 - after}}(:${group}){1,${after}}`
})
const v6 = [
  `(${group}:){7}${group}`,
  `(${group}:){1,7}:`,
  ...shortened,
  `:(:${group}){1,7}`,
  '::',
  `::(ffff:)?${v4}`
].join('|')

/** What Postgres reads as an address, whichever its version: the cast of anything else would fail. */
export const addressPatterns = { v4: `^${v4}$`, v6: `^(${v6})$` }

/**
 * Whether the address in a column of text lies in a range that {@link parseIpRange} made. What is no
 * address lies in none. IPv4 counts in its IPv6-mapped form as well.
 */
export function isInRange(column: SQLWrapper, range: string): SQL {
  const [address = '', bits = ''] = range.split('/')
  const mapped = isIP(address) === 4 ? `::ffff:${address}/${Number(bits) + 96}` : undefined
  const ip = sql`split_part(${column}, '%', 1)`
  const inMapped = mapped === undefined ? sql`` : sql` or ${ip}::inet <<= ${mapped}::inet`
  // Most are IPv4, and the pattern of IPv6 takes several times as long.
  return sql`case
    when strpos(${column}, ':') = 0
    then case when ${column} ~ ${addressPatterns.v4} then ${column}::inet <<= ${range}::inet else false end
    when ${ip} ~* ${addressPatterns.v6} then ${ip}::inet <<= ${range}::inet${inMapped}
    else false
  end`
}
