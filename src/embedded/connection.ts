import postgres from 'postgres'
import { superuser } from './cluster.js'

/** Where the embedded server listens. */
export interface ServerAddress {
  port: number
  password: string
}

/** Where the superuser connects to `database`. */
export function urlOf({ port, password }: ServerAddress, database: string): string {
  return `postgres://${superuser}:${password}@127.0.0.1:${port}/${database}`
}

/** One connection to the database `postgres`, opened by its first query and closed with `end`. */
export function connectToServer(
  address: ServerAddress,
  options: { lockTimeoutMs?: number; onClose?: () => void } = {}
): postgres.Sql {
  return postgres(urlOf(address, 'postgres'), {
    max: 1,
    max_lifetime: null,
    connect_timeout: 3,
    fetch_types: false,
    onnotice: () => undefined,
    onclose: () => options.onClose?.(),
    connection: { application_name: 'keycard', lock_timeout: options.lockTimeoutMs ?? 0 }
  })
}

/** Postgres's code for why it refused (SQLSTATE), where the server answered at all. */
export function sqlState(error: unknown): string | undefined {
  return error instanceof postgres.PostgresError ? error.code : undefined
}
