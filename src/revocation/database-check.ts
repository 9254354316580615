import { and, eq, sql } from 'drizzle-orm'
import { type Database, prepared } from '../database/connection.js'
import { deployment, revocations, sessions, users } from '../database/schema.js'
import type { CoveredClaims, RevocationView } from './decision.js'

const placeholder = {
  tokenId: sql.placeholder('tokenId'),
  sessionId: sql.placeholder('sessionId'),
  userId: sql.placeholder('userId')
}

/** By primary keys and one index. The deployment's one row is there whatever else is missing. */
const readFacts = prepared((db) =>
  db
    .select({
      generation: deployment.generation,
      version: users.tokenVersion,
      isSessionAlive: sql<boolean>`${sessions.id} is not null and ${sessions.revokedAt} is null`,
      isTokenDenied: sql<boolean>`exists (select 1 from ${revocations} where ${revocations.target} = ${placeholder.tokenId} and ${revocations.kind} = 'token')`
    })
    .from(deployment)
    .leftJoin(users, eq(users.id, placeholder.userId))
    .leftJoin(sessions, and(eq(sessions.id, placeholder.sessionId), eq(sessions.userId, users.id)))
    .prepare('keycard_token_facts')
)

/**
 * What Postgres knows about one token, in one query. A user or a session that is gone takes its
 * tokens along.
 *
 * @throws DatabaseUnavailable
 */
export async function readFromDatabase(
  database: Database,
  claims: CoveredClaims
): Promise<RevocationView> {
  const { jti: tokenId, sid: sessionId, sub: userId } = claims
  const [row] = await database.read((db) => readFacts(db).execute({ tokenId, sessionId, userId }))
  if (row === undefined) throw new Error('The deployment row is missing: run the migrations')
  return {
    generation: row.generation,
    isTokenDenied: () => row.isTokenDenied,
    isSessionDenied: () => !row.isSessionAlive,
    minimumVersion: () => row.version ?? Number.POSITIVE_INFINITY
  }
}
