import type { Command } from 'commander'
import type { AccountChanges } from '../../accounts/account-update.js'
import { adminRole } from '../../accounts/roles.js'
import type { User } from '../../accounts/store.js'
import type { Receipt } from '../../revocation/announcer.js'
import { accountText, accountValue } from '../accounts-view.js'
import { misuse, refused } from '../command-error.js'
import type { CommandContext, Define } from '../command.js'
import { confirmed } from '../confirmation.js'
import type { Deployment } from '../deployment.js'
import { operatorOrigin } from '../operator.js'
import { findAccount } from '../people.js'
import { receiptText } from '../receipts.js'
import type { Report } from '../report.js'
import { reasonOption, waitOption, yesOption } from '../revocation-options.js'
import { defineUserCreate } from './user-create.js'
import { defineUserList } from './user-list.js'

interface ChangeOptions {
  readonly reason?: string
  readonly wait?: boolean
  readonly yes?: boolean
}

interface RolesOptions extends ChangeOptions {
  readonly none?: boolean
}

/** `keycard users …` */
export function defineUsers(program: Command, define: Define): void {
  const users = program.command('users').description('Find, make and change accounts.')
  defineUserList(users, define)
  define(users, {
    name: 'show <email-or-id>',
    summary: 'show an account',
    async run({ open }, _options, [name = '']) {
      const deployment = await open()
      const user = await findAccount(deployment, name)
      const sessions = (await deployment.services.sessions.list(user.id)).length
      const account = accountValue(user)
      return { value: { user: account, sessions }, text: accountText(user, { sessions }) }
    }
  })
  defineUserCreate(users, define)
  define<RolesOptions>(users, {
    name: 'roles <email-or-id> [roles...]',
    summary: 'set the roles of an account; access tokens die, sessions go on',
    description:
      'Sets the roles of an account: it has these afterwards, and no other. Its access tokens die, and its sessions go on with the new roles.',
    options: (command) =>
      yesOption(waitOption(reasonOption(command))).option('--none', 'take all of its roles away'),
    run: (context, options, [name = '', ...roles]) => setRoles(context, options, name, roles)
  })
  define<ChangeOptions>(users, {
    name: 'disable <email-or-id>',
    summary: 'lock an account: its sessions and tokens die',
    options: (command) => yesOption(waitOption(reasonOption(command))),
    run: (context, options, [name = '']) => disable(context, options, name)
  })
  define<ChangeOptions>(users, {
    name: 'enable <email-or-id>',
    summary: 'unlock an account; its sessions stay dead',
    options: (command) => waitOption(reasonOption(command)),
    async run(context, options, [name = '']) {
      const deployment = await context.open()
      const user = await findAccount(deployment, name)
      return await change(deployment, context, options, { user, changes: { disabled: false } })
    }
  })
  define<ChangeOptions>(users, {
    name: 'delete <email-or-id>',
    summary: 'delete an account with its sessions',
    options: (command) => yesOption(waitOption(reasonOption(command))),
    run: (context, options, [name = '']) => remove(context, options, name)
  })
}

async function setRoles(
  context: CommandContext,
  options: RolesOptions,
  name: string,
  roles: readonly string[]
): Promise<Report> {
  // A forgotten argument must not take anything away.
  if ((roles.length === 0) !== (options.none === true)) {
    throw misuse('Name all the roles that it shall have, or none of them with --none.')
  }
  const deployment = await context.open()
  const user = await findAccount(deployment, name)
  if (user.roles.includes(adminRole) && !roles.includes(adminRole)) {
    const what = `${user.email} is no administrator any more, on ${deployment.name}.`
    const warning = 'Only another administrator or an operator can undo this.'
    await context.terminal.confirm(what, user.email, options.yes === true, warning)
  }
  return await change(deployment, context, options, { user, changes: { roles } })
}

async function disable(
  context: CommandContext,
  options: ChangeOptions,
  name: string
): Promise<Report> {
  const deployment = await context.open()
  const user = await findAccount(deployment, name)
  const reason = await context.terminal.reason(options.reason)
  const what = `${user.email} is locked out and logged out everywhere, on ${deployment.name}.`
  const warning = 'To unlock it does not bring its sessions back.'
  await context.terminal.confirm(what, user.email, options.yes === true, warning)
  const changes = { disabled: true }
  return await change(deployment, context, { ...options, reason }, { user, changes })
}

async function change(
  deployment: Deployment,
  context: CommandContext,
  options: ChangeOptions,
  { user, changes }: { readonly user: User; readonly changes: AccountChanges }
): Promise<Report> {
  const order = { origin: operatorOrigin(), reason: options.reason }
  const outcome = await confirmed(deployment, context, options, () =>
    deployment.services.administration.update(user.id, changes, order)
  )
  if ('revocationId' in outcome) return changed(await findAccount(deployment, user.id), outcome)
  if (outcome.kind === 'updated') return changed(outcome.user, outcome.receipt)
  throw refusal(outcome)
}

async function remove(
  context: CommandContext,
  options: ChangeOptions,
  name: string
): Promise<Report> {
  const deployment = await context.open()
  const user = await findAccount(deployment, name)
  const reason = await context.terminal.reason(options.reason)
  const what = `The account ${user.email} is deleted with all of its sessions, on ${deployment.name}.`
  await context.terminal.confirm(what, user.email, options.yes === true)
  const receipt = await confirmed(deployment, context, options, () =>
    deleteAccount(deployment, user.id, reason)
  )
  return {
    value: { deleted: user.id, receipt },
    text: `${user.email} is deleted.\n\n${receiptText(receipt)}`
  }
}

async function deleteAccount({ services }: Deployment, id: string, reason: string) {
  const outcome = await services.administration.delete(id, { origin: operatorOrigin(), reason })
  if (outcome.kind !== 'deleted') throw refusal(outcome)
  return outcome.receipt
}

function refusal(
  outcome:
    | { readonly kind: 'not found' | 'last admin' }
    | { readonly kind: 'invalid roles'; readonly reason: string }
) {
  switch (outcome.kind) {
    case 'not found':
      return refused('There is no such account any more.')
    case 'last admin':
      return refused('This is the last admin: make somebody else one first.')
    case 'invalid roles':
      return misuse(outcome.reason)
  }
}

function changed(user: User, receipt: Receipt | null): Report {
  const proof = receipt === null ? '' : `\n\n${receiptText(receipt)}`
  return { value: { user: accountValue(user), receipt }, text: `${accountText(user)}${proof}` }
}
