import { getTableColumns, type SQL, sql } from 'drizzle-orm'
import type { PgTable } from 'drizzle-orm/pg-core'

/**
 * A statement that inserts rows, all with the same fields; fields that are no columns are left out. One
 * text and one parameter for any number of them, because each text is a prepared statement, which every
 * connection keeps.
 */
export function insertedRows<Table extends PgTable>(
  table: Table,
  rows: readonly Table['$inferInsert'][]
): SQL {
  const [first = {}] = rows
  const columns = Object.entries(getTableColumns(table)).filter(([field]) => field in first)
  const names = sql.join(
    columns.map(([, { name }]) => sql.identifier(name)),
    sql`, `
  )
  const named = rows.map((row: Readonly<Record<string, unknown>>) =>
    Object.fromEntries(columns.map(([field, { name }]) => [name, row[field]]))
  )
  return sql`
    insert into ${table} (${names})
    select ${names} from jsonb_populate_recordset(null::${table}, ${JSON.stringify(named)}::text::jsonb)`
}
