import { randomUUID } from 'node:crypto'
import { sql } from 'drizzle-orm'
import { uuidv7 } from 'uuidv7'
import { incidents, sessions, users } from '../../src/database/schema.js'
import { createIncidents, type IncidentOptions } from '../../src/incidents/incidents.js'
import type { IncidentTarget } from '../../src/incidents/target.js'
import { createPasswords } from '../../src/passwords/passwords.js'
import { type Clock, systemClock } from '../../src/clock.js'
import type { TestKeycard } from './keycard.js'
import { nobody } from './origin.js'

export type SessionRow = typeof sessions.$inferSelect
export type SessionFields = Partial<typeof sessions.$inferInsert>

const rowsAtOnce = 1_000

/** Accounts without a password that anybody knows, for sessions that are rows and nothing else. */
export async function addAccounts(
  { app }: TestKeycard,
  count: number,
  fields: Partial<typeof users.$inferInsert> = {}
): Promise<string[]> {
  const now = new Date()
  const rows = Array.from({ length: count }, () => ({
    id: uuidv7(),
    email: `${randomUUID()}@example.com`,
    name: 'Ada',
    passwordHash: '!',
    createdAt: now,
    updatedAt: now,
    ...fields
  }))
  await app.database.write((db) => db.insert(users).values(rows))
  return rows.map(({ id }) => id)
}

/** Sessions of one account each, alive unless the fields say otherwise. @returns their ids */
export async function addSessions(
  { app }: TestKeycard,
  entries: readonly (SessionFields & { readonly userId: string })[],
  now = Date.now()
): Promise<string[]> {
  const minuteAgo = new Date(now - 60_000)
  const rows = entries.map((fields) => ({
    id: uuidv7(),
    version: 1,
    generation: 1,
    salt: Buffer.alloc(16),
    createdAt: minuteAgo,
    lastUsedAt: minuteAgo,
    expiresAt: new Date(now + 3_600_000),
    ip: '192.0.2.1',
    ...fields
  }))
  for (let start = 0; start < rows.length; start += rowsAtOnce) {
    const some = rows.slice(start, start + rowsAtOnce)
    await app.database.write((db) => db.insert(sessions).values(some))
  }
  return rows.map(({ id }) => id)
}

/** One session for each of so many new accounts. @returns the sessions' ids */
export async function addCrowd(
  keycard: TestKeycard,
  count: number,
  fields: SessionFields = {}
): Promise<string[]> {
  const accounts = await addAccounts(keycard, count)
  return await addSessions(
    keycard,
    accounts.map((userId) => ({ userId, ...fields }))
  )
}

/** Which sessions are not revoked, of all there are. */
export async function unrevoked({ app }: TestKeycard): Promise<Set<string>> {
  const rows = await app.database.read((db) =>
    db
      .select({ id: sessions.id })
      .from(sessions)
      .where(sql`${sessions.revokedAt} is null`)
  )
  return new Set(rows.map(({ id }) => id))
}

/** The incident switch as a process of its own would have it. */
export function incidentsOf(
  { app, config }: TestKeycard,
  options: Partial<IncidentOptions> & { readonly clock?: Clock } = {}
) {
  const { threadPoolSize } = config
  return createIncidents({
    database: app.database,
    revocation: app.revocation,
    passwords: createPasswords({ ...config.passwords, threadPoolSize }),
    idleTtlSeconds: config.session.idleTtlSeconds,
    accessTokenTtlSeconds: config.jwt.accessTokenTtlSeconds,
    clock: systemClock,
    ...options
  })
}

/** Starts an incident without HTTP. @returns its id */
export async function startIncident(
  incidents: ReturnType<typeof createIncidents>,
  target: IncidentTarget
): Promise<string> {
  const start = await incidents.start({ target, reason: 'key leaked', origin: nobody })
  if (start.kind !== 'started') throw new Error(`Not started: ${start.kind}`)
  return start.incident.id
}

/** The row of an incident's work: whose it is, and where it stands. */
export async function incidentRow({ app }: TestKeycard, id: string) {
  const [row] = await app.database.read((db) =>
    db
      .select()
      .from(incidents)
      .where(sql`${incidents.id} = ${id}`)
  )
  if (row === undefined) throw new Error('There is no such incident')
  return row
}
