import type { Command } from 'commander'
import { accountsTable, accountValue } from '../accounts-view.js'
import { misuse } from '../command-error.js'
import type { Define } from '../command.js'
import { idOf } from '../people.js'

interface Options {
  readonly role?: string
  readonly disabled?: boolean
  readonly enabled?: boolean
  readonly after?: string
  readonly limit: string
}

const mostPerPage = 1_000

/** `keycard users list` */
export function defineUserList(users: Command, define: Define): void {
  define<Options>(users, {
    name: 'list [search]',
    summary: 'list accounts, newest first; search by how an e-mail or name begins, or by id',
    options: (command) =>
      command
        .option('--role <role>', 'only those with this role')
        .option('--disabled', 'only those that are disabled')
        .option('--enabled', 'only those that are not')
        .option('--after <id>', 'the next page, after this account')
        .option('--limit <count>', `how many at most, up to ${mostPerPage}`, '50'),
    async run({ open }, options, [search]) {
      const { role, disabled, enabled, after } = options
      const query = {
        search,
        role,
        disabled: disabled ? true : enabled ? false : undefined,
        after: after === undefined ? undefined : idOf(after, 'account'),
        limit: countOf(options.limit)
      }
      const deployment = await open()
      const page = await deployment.services.administration.search(query)
      const more = page.next === undefined ? '' : `\n\nMore: --after ${page.next}`
      return {
        value: { users: page.users.map(accountValue), next: page.next ?? null },
        text: `${accountsTable(page.users)}${more}`
      }
    }
  })
}

function countOf(text: string): number {
  const count = Number(text)
  if (Number.isInteger(count) && count >= 1 && count <= mostPerPage) return count
  throw misuse(`--limit takes a whole number from 1 to ${mostPerPage}.`)
}
