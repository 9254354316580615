import fp from 'fastify-plugin'
import { pruneAudit } from '../audit/retention.js'
import { sealAudit } from '../audit/sealing.js'
import type { Clock } from '../clock.js'
import { DatabaseUnavailable } from '../database/connection.js'
import { every } from '../every.js'

export interface AuditPluginOptions {
  readonly retentionMs: number
  readonly sealIntervalMs: number
  readonly clock: Clock
}

const pruneIntervalMs = 60_000

/** Seals audit events and deletes old ones, again and again. Every node does; one at a time works. */
export default fp<AuditPluginOptions>(
  async function auditPlugin(app, { retentionMs, sealIntervalMs, clock }) {
    const parts = { database: app.database, clock, log: app.log }

    /** An outage of the database is told by others. */
    async function attempt(event: string, work: () => Promise<void>): Promise<void> {
      try {
        await work()
      } catch (err) {
        if (!(err instanceof DatabaseUnavailable)) app.log.error({ event, err })
      }
    }

    const tasks = [
      every(sealIntervalMs, () => attempt('audit.sealing_failed', () => sealAudit(parts))),
      every(pruneIntervalMs, () =>
        attempt('audit.pruning_failed', () => pruneAudit({ ...parts, retentionMs }))
      )
    ]
    app.addHook('onClose', async () => {
      await Promise.all(tasks.map((task) => task.stop()))
    })
  },
  { name: 'audit', fastify: '5.x', dependencies: ['database'] }
)
