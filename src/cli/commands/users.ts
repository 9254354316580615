import type { Command } from 'commander'
import type { AccountChanges } from '../../accounts/account-update.js'
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
  define<ChangeOptions>(users, {
    name: 'roles <email-or-id> [roles...]',
    summary: 'set the roles of an account; access tokens die, sessions go on',
    options: (command) => waitOption(reasonOption(command)),
    run: (context, options, [name = '', ...roles]) => change(context, options, name, { roles })
  })
  define<ChangeOptions>(users, {
    name: 'disable <email-or-id>',
    summary: 'lock an account: its sessions and tokens die',
    options: (command) => waitOption(reasonOption(command)),
    async run(context, options, [name = '']) {
      const reason = await context.terminal.reason(options.reason)
      return await change(context, { ...options, reason }, name, { disabled: true })
    }
  })
  define<ChangeOptions>(users, {
    name: 'enable <email-or-id>',
    summary: 'unlock an account; its sessions stay dead',
    options: (command) => waitOption(reasonOption(command)),
    run: (context, options, [name = '']) => change(context, options, name, { disabled: false })
  })
  define<ChangeOptions>(users, {
    name: 'delete <email-or-id>',
    summary: 'delete an account with its sessions',
    options: (command) => yesOption(waitOption(reasonOption(command))),
    run: (context, options, [name = '']) => remove(context, options, name)
  })
}

async function change(
  context: CommandContext,
  options: ChangeOptions,
  name: string,
  changes: AccountChanges
): Promise<Report> {
  const deployment = await context.open()
  const { id } = await findAccount(deployment, name)
  const order = { origin: operatorOrigin(), reason: options.reason }
  let receipt: Receipt | null = null
  const outcome = await confirmed(deployment, context, options, () =>
    deployment.services.administration.update(id, changes, order)
  )
  if ('revocationId' in outcome) receipt = outcome
  else if (outcome.kind === 'updated') receipt = outcome.receipt
  else throw refusal(outcome)
  const user = await findAccount(deployment, id)
  return changed(user, receipt)
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
