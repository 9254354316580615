import { sql } from 'drizzle-orm'
import t from 'tap'
import { createPostgresRegistry } from '../../src/revocation/registry.js'
import { readNews } from '../../src/revocation/truth.js'
import { systemClock } from '../../src/clock.js'
import { startKeycard, type TestKeycard } from '../support/keycard.js'

const cause = { reason: 'test', origin: null }

async function truthOf({ app }: TestKeycard) {
  const pages = []
  const { readLog } = createPostgresRegistry(app.database, systemClock)
  for await (const page of readNews(readLog)) pages.push(page.events)
  return pages
}

t.test('the truth of a new deployment is its generation', async (t) => {
  const keycard = await startKeycard(t)
  t.same((await truthOf(keycard)).flat(), [{ kind: 'everyone', level: 1 }])
})

t.test('all that can still cover a token is read, and nothing else', async (t) => {
  const keycard = await startKeycard(t)
  const ada = await keycard.register()
  await keycard.post('/api/auth/logout-all', { token: ada.accessToken })
  await keycard.app.revocation.revokeEveryone(cause)
  const insert = (life: string, count: number) =>
    keycard.app.database.write((db) =>
      db.execute(sql`
        insert into revocations (id, kind, target, reason, created_at, live_until)
        select gen_random_uuid(), 'session', gen_random_uuid(), 'test', now(), now() + ${life}::interval
        from generate_series(1, ${count})`)
    )
  await insert('-1 second', 10)
  await insert('10 minutes', 24_000)

  const pages = await truthOf(keycard)
  t.ok(pages.length === 4, 'it comes in pages')
  const events = pages.flat()
  const sessions = events.flatMap((event) => (event.kind === 'session' ? event.target : []))
  t.equal(new Set(sessions).size, 24_000)
  const others = events.filter(({ kind }) => kind !== 'session')
  t.match(others, [
    { kind: 'everyone', level: 2 },
    { kind: 'user', target: ada.id, level: 2 },
    { kind: 'everyone', level: 2 }
  ])
})
