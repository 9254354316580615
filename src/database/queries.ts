import type { PostgresJsDatabase } from 'drizzle-orm/postgres-js'

/** What a store is given to ask the database with, in a transaction or without one. */
export type Queries = Pick<
  PostgresJsDatabase,
  | '$count'
  | '$with'
  | 'delete'
  | 'execute'
  | 'insert'
  | 'select'
  | 'selectDistinct'
  | 'update'
  | 'with'
>

/**
 * For statements of the hot path: built once per connection instead of once per call. Postgres plans
 * every statement once per connection, this one or not.
 *
 * ```ts
 * const findUser = prepared((db) =>
 *   db.select().from(users).where(eq(users.id, sql.placeholder('id'))).prepare('find_user')
 * )
 * await database.read((db) => findUser(db).execute({ id }))
 * ```
 */
export function prepared<Statement>(build: (db: Queries) => Statement): (db: Queries) => Statement {
  const built = new WeakMap<Queries, { statement: Statement }>()
  return (db) => {
    const known = built.get(db) ?? { statement: build(db) }
    built.set(db, known)
    return known.statement
  }
}
