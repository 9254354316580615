import { and, eq, gt, lte, sql } from 'drizzle-orm'
import type { Database, Queries } from '../database/connection.js'
import { deployment, sessions, users } from '../database/schema.js'
import { isMeant, isSpared, type Moment } from './cohort.js'
import type { IncidentTarget } from './target.js'

/** So many accounts are looked at in one statement: at the worst it takes a second. */
const usualAccountsAtOnce = 25_000

/** How many would be hit, and how many sessions are spared. */
export interface Census {
  readonly sessions: number
  readonly accounts: number
  readonly spared: number
  /** False where the time was over before everybody was counted. */
  readonly isComplete: boolean
}

export interface CensusOptions {
  readonly moment: Moment
  /** The count ends after that, complete or not; with everybody where it is not given. */
  readonly withinMs?: number | undefined
  readonly accountsAtOnce?: number
}

/** Counts whom a target hits, some thousand accounts at a time, so that no statement takes long. */
export async function takeCensus(
  database: Database,
  target: IncidentTarget,
  { moment, withinMs = Infinity, accountsAtOnce = usualAccountsAtOnce }: CensusOptions
): Promise<Census> {
  const deadline = performance.now() + withinMs
  const total = { sessions: 0, accounts: 0, spared: 0 }
  let after: string | undefined
  do {
    if (performance.now() > deadline) return { ...total, isComplete: false }
    const upTo: string | undefined = await database.read((db) =>
      endOfWindow(db, after, accountsAtOnce)
    )
    const window = { after, upTo }
    const counted = await database.read((db) => countWindow(db, target, moment, window))
    total.sessions += counted.sessions
    total.accounts += counted.accounts
    total.spared += counted.spared
    after = upTo
  } while (after !== undefined)
  return { ...total, isComplete: true }
}

interface Window {
  readonly after: string | undefined
  readonly upTo: string | undefined
}

async function endOfWindow(
  db: Queries,
  after: string | undefined,
  accountsAtOnce: number
): Promise<string | undefined> {
  const [last] = await db
    .select({ id: users.id })
    .from(users)
    .where(after === undefined ? undefined : gt(users.id, after))
    .orderBy(users.id)
    .offset(accountsAtOnce - 1)
    .limit(1)
  return last?.id
}

async function countWindow(
  db: Queries,
  target: IncidentTarget,
  moment: Moment,
  { after, upTo }: Window
): Promise<Omit<Census, 'isComplete'>> {
  const isHit = sql`not (${isSpared(target)})`
  const [counts] = await db
    .select({
      sessions: sql`count(*) filter (where ${isHit})`.mapWith(Number),
      accounts: sql`count(distinct ${sessions.userId}) filter (where ${isHit})`.mapWith(Number),
      spared: sql`count(*) filter (where ${isSpared(target)})`.mapWith(Number)
    })
    .from(sessions)
    .innerJoin(users, eq(users.id, sessions.userId))
    .innerJoin(deployment, eq(deployment.id, 1))
    .where(
      and(
        after === undefined ? undefined : gt(sessions.userId, after),
        upTo === undefined ? undefined : lte(sessions.userId, upTo),
        isMeant(target, moment)
      )
    )
  if (counts === undefined) throw new Error('A count brought no row')
  return counts
}
