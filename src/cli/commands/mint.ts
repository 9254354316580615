import type { Command } from 'commander'
import { recordAudit } from '../../audit/events.js'
import { refused } from '../command-error.js'
import type { CommandContext, Define } from '../command.js'
import { commandConfig, type Deployment } from '../deployment.js'
import { operatorOrigin } from '../operator.js'
import { findAccount } from '../people.js'
import { fields } from '../table.js'

/** `keycard mint`: a pair of tokens for somebody's account, without their password. */
export function defineMint(program: Command, define: Define): void {
  define(program, {
    name: 'mint <email-or-id>',
    summary: 'open a session for a user and print its tokens; development only',
    async run(context, _options, [name = '']) {
      const credentials = await mint(context, name)
      const { sessionId, accessToken, expiresInSeconds, refreshToken } = credentials
      const value = {
        accessToken,
        tokenType: 'Bearer',
        expiresIn: expiresInSeconds,
        sessionId,
        refreshToken
      }
      const text = fields({ session: sessionId, access: accessToken, refresh: refreshToken })
      return { value, text }
    }
  })
}

async function mint(context: CommandContext, name: string) {
  // Before a key is loaded: in production nobody gets the tokens of others.
  if (commandConfig(context).environment === 'production') {
    throw refused('In production nobody gets the tokens of others: mint is for development.')
  }
  const deployment = await context.open({ issuesTokens: true })
  const user = await findAccount(deployment, name)
  const credentials = await openSession(deployment, user)
  if (credentials === undefined) throw refused(`${user.email} is disabled or has just changed.`)
  return credentials
}

async function openSession(
  { database, services, clock }: Deployment,
  user: { readonly id: string; readonly tokenVersion: number }
) {
  return await database.transaction(async (tx) => {
    const owner = { id: user.id, expectedVersion: user.tokenVersion }
    const client = { ip: '127.0.0.1', userAgent: 'keycard mint' }
    const credentials = await services.sessions.open(tx, owner, client, null)
    if (credentials === undefined) return undefined
    const event = {
      action: 'token.minted',
      outcome: 'success',
      origin: operatorOrigin(),
      subject: { kind: 'session', id: credentials.sessionId },
      userId: user.id,
      reason: null
    } as const
    await recordAudit(tx, event, new Date(clock()))
    return credentials
  })
}
