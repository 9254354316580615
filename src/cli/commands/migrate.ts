import type { Command } from 'commander'
import { migrate } from '../../database/migrate.js'
import { misuse } from '../command-error.js'
import type { Define } from '../command.js'
import { commandConfig, visitDatabase } from '../deployment.js'

interface Options {
  readonly patience: string
}

/** `keycard migrate`: brings the schema up to date, as every start does. */
export function defineMigrate(program: Command, define: Define): void {
  define<Options>(program, {
    name: 'migrate',
    summary: 'apply the migrations that the database lacks',
    options: (command) =>
      command.option('--patience <seconds>', 'how long a Postgres that starts is waited for', '30'),
    async run(context, options) {
      const patience = Number(options.patience)
      if (!Number.isSafeInteger(patience) || patience < 0) {
        throw misuse('--patience takes a whole number of seconds.')
      }
      const visit = await visitDatabase(commandConfig(context), context.terminal.note)
      try {
        const { applied } = await migrate(visit.url, { startMs: patience * 1_000 })
        const text =
          applied === 0 ? 'The database is up to date.' : `Applied ${applied} migration(s).`
        return { value: { applied }, text }
      } finally {
        await visit.leave()
      }
    }
  })
}
