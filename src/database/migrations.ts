import { fileURLToPath } from 'node:url'
import { sql } from 'drizzle-orm'
import { readMigrationFiles } from 'drizzle-orm/migrator'
import type { Queries } from './queries.js'

// The same from src/ and from dist/.
export const migrationsFolder = fileURLToPath(new URL('../../migrations', import.meta.url))

/** How a database's schema stands to the one that this version expects, in migrations. */
export interface MigrationState {
  /** Those that the database lacks. */
  readonly pending: number
  /** Those that a later version applied. */
  readonly unknown: number
}

export async function migrationState(db: Queries): Promise<MigrationState> {
  const known = readMigrationFiles({ migrationsFolder }).map((file) => file.folderMillis)
  const applied = await appliedMigrations(db)
  const last = Math.max(0, ...applied)
  return {
    pending: known.filter((migration) => migration > last).length,
    unknown: applied.filter((migration) => !known.includes(migration)).length
  }
}

/** By the time that drizzle-kit gave each of them in the journal. */
async function appliedMigrations(db: Queries): Promise<number[]> {
  const [table] = await db.execute<{ name: string | null }>(
    sql`select to_regclass('drizzle.__drizzle_migrations') as name`
  )
  if (table?.name == null) return []
  const rows = await db.execute<{ created_at: string }>(
    sql`select created_at from drizzle.__drizzle_migrations`
  )
  return rows.map((row) => Number(row.created_at))
}
