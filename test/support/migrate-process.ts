/**
 * Migrates the database of its argument as soon as its stdin says so, and writes what came of it as
 * a line of JSON. It says `ready` before.
 */
import { once } from 'node:events'
import { migrate } from '../../src/database/migrate.js'

const [url = ''] = process.argv.slice(2)

process.stdout.write('ready\n')
await once(process.stdin, 'data')
const outcome = await migrate(url).catch((error: unknown) => ({ error: String(error) }))
process.stdout.write(`${JSON.stringify(outcome)}\n`)
process.exit()
