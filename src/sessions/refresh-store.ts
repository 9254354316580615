import { and, eq, gt, sql } from 'drizzle-orm'
import { prepared, type Queries } from '../database/connection.js'
import { deployment, sessions, users } from '../database/schema.js'
import { currentSessions, type SessionFacts, withKey } from './store.js'

/** What a refresh asks of a session beside its counter, and of its user and the deployment. */
const isRefreshable = and(
  eq(users.id, sessions.userId),
  currentSessions,
  gt(sessions.expiresAt, sql`${sql.placeholder('now')}::timestamptz`),
  gt(sessions.lastUsedAt, sql`${sql.placeholder('idleSince')}::timestamptz`)
)

export type AdvancedSession = Pick<
  SessionFacts,
  'version' | 'generation' | 'expiresAt' | 'roles' | 'keyIds'
>

const advanced = {
  id: sessions.id,
  version: sessions.version,
  generation: sessions.generation,
  expiresAt: sessions.expiresAt,
  roles: users.roles,
  keyIds: sessions.keyIds
}

const advance = prepared((db) =>
  advancing(db)
    .from(users)
    .innerJoin(deployment, eq(deployment.id, 1))
    .where(
      and(
        eq(sessions.id, sql.placeholder('id')),
        eq(sessions.counter, sql.placeholder('counter')),
        isRefreshable
      )
    )
    .returning(advanced)
    .prepare('keycard_advance_counter')
)

/** Which session is to be moved on, and from where. */
export interface Step {
  readonly id: string
  /** Of 32 bits without a sign, as tokens have it, though the column's has one. */
  readonly counter: number
}

/** `keyId` is the key that is about to sign the access tokens. */
export interface StepContext {
  readonly now: Date
  readonly idleSince: Date
  readonly keyId: string
}

/**
 * Moves a session's counter on by one: a single statement, so that of any number of callers with
 * the same counter one gets the row and the others nothing. All that keeps the session alive is
 * checked in the same statement.
 */
export async function advanceCounter(
  db: Queries,
  step: Step,
  context: StepContext
): Promise<AdvancedSession | undefined> {
  const [row] = await advance(db).execute({ ...step, ...valuesOf(context) })
  return row
}

const advanceAll = prepared((db) => {
  const free = db.$with('free').as(
    db
      .select({ id: sessions.id, counter: sessions.counter })
      .from(sessions)
      .innerJoin(
        sql`unnest(${sql.placeholder('ids')}::uuid[], ${sql.placeholder('counters')}::bigint[]) as step (id, counter)`,
        sql`step.id = ${sessions.id} and step.counter = ${sessions.counter}`
      )
      .for('no key update', { of: sessions, skipLocked: true })
  )
  return advancing(db.with(free))
    .from(free)
    .innerJoin(users, sql`true`)
    .innerJoin(deployment, eq(deployment.id, 1))
    .where(and(eq(sessions.id, free.id), eq(sessions.counter, free.counter), isRefreshable))
    .returning(advanced)
    .prepare('keycard_advance_counters')
})

/**
 * Moves several sessions on in one statement, each as by {@link advanceCounter}, but for those whose
 * row another transaction holds: waiting for it, all would wait.
 *
 * @param steps of different sessions
 * @returns by session, without those that were not moved on
 */
export async function advanceFreeCounters(
  db: Queries,
  steps: readonly Step[],
  context: StepContext
): Promise<Map<string, AdvancedSession>> {
  const rows = await advanceAll(db).execute({
    ids: arrayOf(steps.map(({ id }) => id)),
    counters: arrayOf(steps.map(({ counter }) => counter)),
    ...valuesOf(context)
  })
  return new Map(rows.map((row) => [row.id, row]))
}

function advancing(db: Pick<Queries, 'update'>) {
  return db.update(sessions).set({
    counter: sql`${sessions.counter} + 1`,
    lastUsedAt: sql`${sql.placeholder('now')}::timestamptz`,
    keyIds: withKey(sql.placeholder('keyId'))
  })
}

const valuesOf = ({ now, idleSince, keyId }: StepContext) => ({
  now: now.toISOString(),
  idleSince: idleSince.toISOString(),
  keyId
})

/** As Postgres writes an array of what needs no quotes. */
const arrayOf = (items: readonly (string | number)[]): string => `{${items.join()}}`
