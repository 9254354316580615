import fc from 'fast-check'
import { sql } from 'drizzle-orm'
import t from 'tap'
import { connectDatabase } from '../../src/database/connection.js'
import { addressPatterns, isInRange, parseIpRange } from '../../src/incidents/ip-range.js'
import { createTestDatabase } from '../support/postgres.js'

const database = connectDatabase(await createTestDatabase(t))
t.teardown(() => database.close())

/** Of these texts, those that lie in the range. */
async function inRange(texts: readonly string[], text: string): Promise<string[]> {
  const range = parseIpRange(text)
  if (range === undefined) throw new Error(`${text} is no range`)
  const rows = await database.read((db) =>
    db.execute<{ ip: string }>(
      sql`select ip from jsonb_array_elements_text(${JSON.stringify(texts)}::jsonb) as t(ip)
        where ${isInRange(sql.raw('t.ip'), range)}`
    )
  )
  return rows.map(({ ip }) => ip)
}

t.test('ranges are read, and put into one form', async (t) => {
  t.equal(parseIpRange('192.0.2.0/24'), '192.0.2.0/24')
  t.equal(parseIpRange('192.0.2.1'), '192.0.2.1/32')
  t.equal(parseIpRange('2001:db8::/32'), '2001:db8::/32')
  t.equal(parseIpRange('::1'), '::1/128')
  t.equal(parseIpRange('::ffff:192.0.2.0/120'), '192.0.2.0/24')
  t.equal(parseIpRange('::/0'), '::/0')
  t.equal(parseIpRange('0.0.0.0/0'), '0.0.0.0/0')
  const wrong = [
    '',
    '/',
    '192.0.2.0/33',
    '192.0.2.0/',
    '192.0.2.0/-1',
    '192.0.2/24',
    '192.0.2.0/24/1'
  ]
  const more = [
    '::/129',
    'fe80::1%eth0/64',
    'localhost',
    '192.0.2.0/ 8',
    '192.0.2.0/1e1',
    '01.2.3.4'
  ]
  for (const text of [...wrong, ...more]) t.equal(parseIpRange(text), undefined, text)
})

t.test('an IPv4 address counts in every form', async (t) => {
  const inside = [
    '192.0.2.0',
    '192.0.2.255',
    '::ffff:192.0.2.1',
    '::FFFF:192.0.2.1',
    '::ffff:c000:201'
  ]
  const outside = ['192.0.3.0', '::ffff:192.0.3.1', '2001:db8::1', '::1']
  t.same(await inRange([...inside, ...outside], '192.0.2.0/24'), inside)
  t.same(await inRange([...inside, ...outside], '::ffff:192.0.2.0/120'), inside)
})

t.test('IPv6, with a zone as well', async (t) => {
  const inside = ['2001:db8::', '2001:DB8:ffff::1', '2001:db8:1:2:3:4:5:6', '2001:db8::1%eth0']
  t.same(await inRange([...inside, '2001:db9::', '192.0.2.1'], '2001:db8::/32'), inside)
  t.same(await inRange(['fe80::1%eth0', 'fe80::1', 'fec0::1'], 'fe80::/10'), [
    'fe80::1%eth0',
    'fe80::1'
  ])
})

t.test('whatever is stored, the statement does not fail', async (t) => {
  const junk = [
    '',
    'unknown',
    '%',
    '1.2.3',
    '1.2.3.4.5',
    '256.1.1.1',
    '01.02.03.04',
    ':::',
    '1::2::3'
  ]
  const more = [
    '::ffff:1.2.3.400',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '10.0.0.0/8',
    "'; drop table"
  ]
  t.same(await inRange([...junk, ...more], '::/0'), [])
  t.same(await inRange([...junk, ...more], '0.0.0.0/0'), [])
  const piece = fc.constantFrom(
    ':',
    '::',
    '.',
    '0',
    'ffff',
    'f',
    '1',
    '255',
    '256',
    '%',
    '/',
    'g',
    '\n'
  )
  const nearly = fc.array(piece, { maxLength: 20 }).map((pieces) => pieces.join(''))
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof(nearly, nearly, fc.ipV4(), fc.ipV6()), { minLength: 300, maxLength: 300 }),
      async (texts) => {
        await inRange(texts, '0.0.0.0/1')
        await inRange(texts, '8000::/1')
      }
    ),
    { numRuns: 20 }
  )
})

t.test('every address is recognised', async (t) => {
  const known = new RegExp(`${addressPatterns.v4}|${addressPatterns.v6}`, 'i')
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (ip) => known.test(ip) || /\d\.\d/.test(ip))
  )
  t.match('1:2:3:4:5:6:7::', known)
  t.match('::2:3:4:5:6:7:8', known)
  await fc.assert(
    fc.asyncProperty(fc.array(fc.ipV6(), { minLength: 200 }), async (texts) => {
      const all = texts.filter((text) => !text.includes('.'))
      t.same(await inRange(all, '::/0'), all)
    }),
    { numRuns: 5 }
  )
})
