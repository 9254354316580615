import type { Command } from 'commander'
import type { AccountCreation } from '../../accounts/administration.js'
import { accountText, accountValue } from '../accounts-view.js'
import { misuse, refused } from '../command-error.js'
import type { CommandContext, Define } from '../command.js'
import { operatorOrigin } from '../operator.js'
import type { Report } from '../report.js'
import { reasonOption } from '../revocation-options.js'

interface Options {
  readonly name: string
  readonly role?: readonly string[]
  readonly passwordStdin?: boolean
  readonly reason?: string
}

/** `keycard users create`. A password is no argument: other processes can see those. */
export function defineUserCreate(users: Command, define: Define): void {
  define<Options>(users, {
    name: 'create <email>',
    summary: 'make an account',
    options: (command) =>
      reasonOption(
        command
          .requiredOption('--name <name>', 'what the person is called')
          .option('--role <role...>', 'its roles, such as admin')
          .option('--password-stdin', 'read the password from stdin; asked for on a terminal')
      ),
    run: (context, options, [email = '']) => create(context, options, email)
  })
}

async function create(context: CommandContext, options: Options, email: string): Promise<Report> {
  const { name, role: roles = [], reason } = options
  if (!/^[^\s@]+@[^\s@]+$/.test(email)) throw misuse(`${email} is not an e-mail address.`)
  const password = await readPassword(context, options)
  const { services } = await context.open()
  const account = { email, name, roles, password }
  const order = { origin: operatorOrigin(), reason }
  const outcome = await services.administration.create(account, order)
  if (outcome.kind !== 'created') throw refusal(outcome)
  const { user } = outcome
  return { value: { user: accountValue(user) }, text: accountText(user) }
}

async function readPassword({ terminal }: CommandContext, options: Options): Promise<string> {
  if (options.passwordStdin) return await terminal.readLine()
  if (terminal.isInteractive) return await terminal.askSecret('Password: ')
  throw misuse('Give the password on stdin, with --password-stdin.')
}

function refusal(outcome: Exclude<AccountCreation, { readonly kind: 'created' }>) {
  switch (outcome.kind) {
    case 'email taken':
      return refused('There is an account with this e-mail address already.')
    case 'not allowed':
      return refused('Only administrators may do this.')
    case 'weak password':
      return refused(`The password is too weak. ${outcome.reason}`)
    case 'invalid roles':
      return misuse(outcome.reason)
  }
}
