import fp from 'fastify-plugin'
import { Counter } from 'prom-client'
import type { Canary } from '../canary/canary.js'
import { every } from '../every.js'

export interface CanaryPluginOptions {
  readonly canary: Canary
  readonly intervalMs: number
}

/** Sends the canary out again and again, and counts what it finds. */
export default fp<CanaryPluginOptions>(
  async function canaryPlugin(app, { canary, intervalMs }) {
    const registers = [app.metrics]
    const accepted = new Counter({
      name: 'keycard_revoked_token_accepted_total',
      help: 'Tokens of the canary that a node accepted after their revocation was answered: must stay 0',
      registers
    })
    const rounds = new Counter({
      name: 'keycard_canary_rounds_total',
      help: 'Rounds of the canary: ok, incomplete (a node did not answer), or failed (no revocation to test)',
      labelNames: ['result'],
      registers
    })

    async function fly(): Promise<void> {
      try {
        const { liars, silent } = await canary.fly()
        accepted.inc(liars.length)
        rounds.inc({ result: silent.length === 0 ? 'ok' : 'incomplete' })
        if (silent.length > 0) app.log.warn({ event: 'canary.incomplete', silent })
      } catch (err) {
        rounds.inc({ result: 'failed' })
        app.log.warn({ event: 'canary.failed', err })
      }
    }

    const flying = every(intervalMs, fly)
    app.addHook('onClose', () => flying.stop())
  },
  { name: 'canary', fastify: '5.x', dependencies: ['metrics'] }
)
