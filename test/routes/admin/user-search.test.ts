import { randomUUID } from 'node:crypto'
import { sql } from 'drizzle-orm'
import t from 'tap'
import { users as table } from '../../../src/database/schema.js'
import { eventually } from '../../support/eventually.js'
import { startKeycard } from '../../support/keycard.js'
import { registerAdmin, setUser } from '../../support/operators.js'
import { verdict } from '../../support/session-calls.js'
import { administration, newPerson, userOf } from '../../support/user-administration.js'

const keycard = await startKeycard(t, { env: { ARGON2_MEMORY_KIB: '8', ARGON2_TIME: '1' } })
const admin = await registerAdmin(keycard)
const users = administration(keycard, admin)

async function make(name: string, email = `${randomUUID()}@example.com`): Promise<string> {
  return userOf(await users.create(newPerson({ name, email }))).id
}

/** The ids that a list answers with. @throws for an answer that is no list */
async function find(query: Record<string, string>): Promise<string[]> {
  const { body, text } = await users.list(query)
  if (body.users === undefined) throw new Error(text)
  return body.users.map(({ id }) => id)
}

/** Reads a list to its end. */
async function walk(query: Record<string, string>, onPage?: () => Promise<unknown>) {
  const seen: string[] = []
  let cursor: string | null | undefined
  do {
    const { body } = await users.list({ ...query, ...(cursor ? { cursor } : {}) })
    seen.push(...(body.users ?? []).map(({ id }) => id))
    cursor = body.nextCursor
    await onPage?.()
  } while (cursor)
  return seen
}

t.test('by the beginning of the e-mail or the name, in any case, or the whole id', async (t) => {
  const grace = await make('Grace Hopper', 'Rear.Admiral@Navy.example')
  const alan = await make('Álan of Grace', 'grace.less@example.com')
  const both = [alan, grace]
  t.same(await find({ search: 'grace' }), both)
  t.same(await find({ search: 'GRACE' }), both)
  t.same(await find({ search: 'Grace H' }), [grace])
  t.same(await find({ search: 'rear.admiral@NAVY.example' }), [grace])
  t.same(await find({ search: 'áLAN' }), [alan])
  t.same(await find({ search: 'hopper' }), [], 'not in the middle')
  t.same(await find({ search: grace }), [grace])
  t.same(await find({ search: grace.toUpperCase() }), [grace])
  t.same(await find({ search: grace.slice(0, -1) }), [])
})

t.test('what has a meaning in SQL or LIKE stands for itself', async (t) => {
  const percent = await make('100% Grace', 'a_b@example.com')
  const backslash = await make('back\\slash')
  await make('100 Graces', 'axb@example.com')
  t.same(await find({ search: '100%' }), [percent])
  t.same(await find({ search: 'a_b@' }), [percent])
  t.same(await find({ search: 'back\\' }), [backslash])
  t.same(await find({ search: 'back\\s' }), [backslash])
  for (const search of ['%', '_', '\\', '%%', '_%', '\\%', "' or 1=1 --", '$1', '*', '.*', '😀']) {
    t.same(await find({ search }), [], search)
  }
  t.same(await find({ search: 'constructor' }), [])
  t.same(await find({ search: '__proto__' }), [])
})

t.test('by role and by whether they are disabled', async (t) => {
  const [one, two, three] = [await make('Role One'), await make('Role Two'), await make('Role 3')]
  await users.change(one, { roles: ['night', 'ops'] })
  await users.change(two, { roles: ['night'], disabled: true })
  await users.change(three, { roles: ['nightly'] })
  t.same(await find({ role: 'night' }), [two, one])
  t.same(await find({ role: 'night', disabled: 'true' }), [two])
  t.same(await find({ role: 'night', disabled: 'false' }), [one])
  t.same(await find({ role: 'ops', search: 'role' }), [one])
  t.same(await find({ role: 'nobody' }), [])
  t.same(await find({ disabled: 'true', search: 'role' }), [two])
  await setUser(keycard, admin.id, { name: 'Role Admin' })
  t.same(await find({ role: 'admin' }), [admin.id])
})

t.test('a question that is none is refused', async (t) => {
  const token = admin.accessToken
  for (const query of [
    'search=',
    'search=a&search=b',
    'search[]=a',
    'search[like]=%25',
    'role=a&role=b',
    'role=Admin',
    'role=admin%27',
    'role[$ne]=x',
    'disabled=1',
    'disabled=yes',
    'disabled=true&disabled=false',
    'limit=0',
    'limit=201',
    'limit=-1',
    'limit=1.5',
    'limit=x',
    'limit=1&limit=2',
    'offset=1',
    'sort=email',
    'email=a',
    '__proto__=x',
    '__proto__[role]=admin',
    'constructor[prototype][role]=admin',
    `search=${'x'.repeat(255)}`
  ]) {
    const answer = await keycard.get(`/api/admin/users?${query}`, { token })
    t.equal(verdict(answer), 'VALIDATION_FAILED', query)
  }
  t.equal(verdict(await keycard.get('/api/admin/users?search=%00', { token })), 'BAD_REQUEST')
})

t.test('every user comes exactly once, while users are created and deleted', async (t) => {
  const before: string[] = []
  for (let index = 0; index < 23; index++) before.push(await make(`Walker ${index}`))
  const doomed = await make('Walker who goes')
  const [last = ''] = before
  const walks = await Promise.all(
    [1, 2, 7, 22, 23, 24, 50, 200].map(async (limit) => {
      let isFirst = true
      return await walk({ search: 'walker', limit: String(limit) }, async () => {
        if (limit === 7 && isFirst) await users.remove(doomed)
        isFirst = false
        await make('Walker of now')
      })
    })
  )
  for (const seen of walks) {
    t.equal(new Set(seen).size, seen.length, 'nobody twice')
    t.same(
      seen.filter((id) => before.includes(id)),
      before.toReversed(),
      'nobody left out, the newest first'
    )
    t.equal(seen.at(-1), last)
  }
})

t.test('a page is as long as it was asked to be, and 50 long otherwise', async (t) => {
  const rows = Array.from({ length: 60 }, (_, index) => `('${randomUUID()}', 'many${index}@x')`)
  await keycard.app.database.write((db) =>
    db.execute(
      sql.raw(
        `insert into users (id, email, name, password_hash, created_at, updated_at)
         select id::uuid, email, 'Many', '!', now(), now() from (values ${rows.join()}) as v(id, email)`
      )
    )
  )
  t.equal((await find({ search: 'many' })).length, 50)
  t.equal((await find({ search: 'many', limit: '60' })).length, 60)
  const { body } = await users.list({ search: 'many', limit: '60' })
  t.equal(body.nextCursor, null, 'a page that is just full is the last one')
})

t.test('a cursor that nobody was given is refused', async (t) => {
  const { body } = await users.list({ limit: '1' })
  const cursor = body.nextCursor ?? ''
  t.match(cursor, /^[\w-]+$/)
  const { body: other } = await keycard.get('/api/admin/revocations?limit=1', {
    token: admin.accessToken
  })
  const encode = (text: string) => Buffer.from(text).toString('base64url')
  for (const forged of [
    '',
    'x',
    cursor.slice(0, -1),
    `${cursor}=`,
    `${cursor}A`,
    cursor.toUpperCase(),
    other.nextCursor ?? 'none',
    encode('users:'),
    encode('users:1'),
    encode(`users:${randomUUID().toUpperCase()}`),
    encode(`users:${randomUUID()}'`),
    encode(`revocations:${randomUUID()}`),
    encode(`users:${randomUUID()}\n`),
    admin.id,
    'a'.repeat(200)
  ]) {
    const answer = await users.list({ cursor: forged })
    t.equal(verdict(answer), 'VALIDATION_FAILED', forged)
    t.same(
      answer.body.errors?.map(({ path }) => path),
      ['/cursor']
    )
  }
  t.equal(verdict(await users.list({ cursor: 'a'.repeat(201) })), 'VALIDATION_FAILED')
  t.equal(verdict(await users.list({ cursor: encode(`users:${randomUUID()}`) })), 200, 'a place')
})

t.test('the search uses the indexes', async (t) => {
  const { database } = keycard.app
  await database.write((db) =>
    db.execute(
      sql`insert into ${table} (id, email, name, password_hash, created_at, updated_at)
          select gen_random_uuid(), 'crowd' || n || '@example.com', 'Crowd ' || n, '!', now(), now()
          from generate_series(1, 5000) n`
    )
  )
  await database.write((db) => db.execute(sql`analyze ${table}`))
  const scans = async () => {
    const rows: unknown = await database.read((db) =>
      db.execute(
        sql`select indexrelname as index, idx_scan::int as scans from pg_stat_user_indexes
            where indexrelname like 'users_%_prefix' order by 1`
      )
    )
    return rows as { index: string; scans: number }[]
  }
  const before = await scans()
  await find({ search: 'crowd 4321' })
  await eventually('both are used', async () => {
    const after = await scans()
    return after.every(({ scans }, index) => scans > (before[index]?.scans ?? 0)) || undefined
  })
  t.equal(before.length, 2)
})
