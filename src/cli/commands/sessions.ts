import type { Command } from 'commander'
import type { Define } from '../command.js'
import { findAccount, idOf } from '../people.js'
import { revocationOptions, type RevocationOptions } from '../revocation-options.js'
import { table } from '../table.js'
import { instant } from '../times.js'
import { revokeSession } from './revoke.js'

/** `keycard sessions …` */
export function defineSessions(program: Command, define: Define): void {
  const sessions = program.command('sessions').description('List and revoke sessions.')
  define(sessions, {
    name: 'list <email-or-id>',
    summary: 'list the live sessions of a user',
    async run({ open }, _options, [name = '']) {
      const deployment = await open()
      const { id: userId } = await findAccount(deployment, name)
      const found = await deployment.services.sessions.list(userId)
      const rows = found.map((session) => [
        session.id,
        instant(session.createdAt),
        instant(session.lastUsedAt),
        session.ip,
        session.userAgent
      ])
      const head = ['SESSION', 'OPENED', 'LAST USED', 'FROM', 'USER AGENT']
      const text = rows.length === 0 ? 'No live session.' : table(head, rows)
      return { value: { userId, sessions: found }, text }
    }
  })
  define<RevocationOptions>(sessions, {
    name: 'revoke <id>',
    summary: 'revoke a session with all of its tokens: the same as keycard revoke session',
    options: revocationOptions,
    run: (context, options, [id]) => revokeSession(context, options, idOf(id, 'session'))
  })
}
