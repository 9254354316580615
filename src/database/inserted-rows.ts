import { getTableColumns, type Placeholder, type SQL, sql } from 'drizzle-orm'
import type { PgTable } from 'drizzle-orm/pg-core'

type Row = Readonly<Record<string, unknown>>

/**
 * A statement that inserts rows, all with the same fields; fields that are no columns are left out. One
 * text and one parameter for any number of them, because each text is a prepared statement, which every
 * connection keeps.
 */
export function insertedRows<Table extends PgTable>(
  table: Table,
  rows: readonly Table['$inferInsert'][]
): SQL {
  const fields = Object.keys(rows[0] ?? {})
  return insertedFrom(table, fields, sql`${rowsAsJson(table, fields, rows)}`)
}

/** The same for rows that come later, as `rowsAsJson` writes them. It ends in its `from`. */
export function insertedFrom(
  table: PgTable,
  fields: readonly string[],
  json: SQL | Placeholder
): SQL {
  const names = sql.join(
    columnsOf(table, fields).map(([, name]) => sql.identifier(name)),
    sql`, `
  )
  return sql`
    insert into ${table} (${names})
    select ${names} from jsonb_populate_recordset(null::${table}, ${json}::text::jsonb)`
}

export function rowsAsJson(
  table: PgTable,
  fields: readonly string[],
  rows: readonly Row[]
): string {
  const columns = columnsOf(table, fields)
  return JSON.stringify(
    rows.map((row) => Object.fromEntries(columns.map(([field, name]) => [name, row[field]])))
  )
}

const columnsOf = (table: PgTable, fields: readonly string[]): [field: string, name: string][] =>
  Object.entries(getTableColumns(table))
    .filter(([field]) => fields.includes(field))
    .map(([field, { name }]) => [field, name])
