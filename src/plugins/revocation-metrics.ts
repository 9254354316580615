import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import type { RevocationService } from '../revocation/revocation.js'

/** From what a healthy deployment needs to a little beyond the deadline. */
const answerBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]

/** What operations people must see to know that revocation works. */
async function revocationMetrics(app: FastifyInstance): Promise<void> {
  const { metrics, revocation } = app
  measureVerdicts(metrics, revocation)
  measureReplica(metrics, revocation)
  measureAnswers(metrics, revocation)
}

function measureVerdicts(registry: Registry, revocation: RevocationService): void {
  const verdicts = new Counter({
    name: 'keycard_verdicts_total',
    help: 'Decisions about genuine, unexpired tokens, by outcome and by what they were decided from',
    labelNames: ['outcome', 'decided_by'],
    registers: [registry],
    collect() {
      verdicts.reset()
      for (const [source, counts] of Object.entries(revocation.decisions())) {
        for (const [outcome, count] of Object.entries(counts)) {
          verdicts.inc({ outcome, decided_by: source }, count)
        }
      }
    }
  })
}

function measureReplica(registry: Registry, revocation: RevocationService): void {
  const gauge = (name: string, help: string, read: () => number | Promise<number>) =>
    new Gauge({
      name,
      help,
      registers: [registry],
      async collect() {
        this.set(await read())
      }
    })
  gauge(
    'keycard_lease_left_seconds',
    'For how long this node may still decide from its replica without another read',
    () => revocation.status().leaseLeftMs / 1_000
  )
  gauge(
    'keycard_replica_lag_seconds',
    'How long ago the last read of the feed was sent that left nothing behind',
    () => revocation.status().lagMs / 1_000
  )
  gauge(
    'keycard_live_revocations',
    'Revocations in the replica of this node that can still cover a token',
    () => revocation.status().live
  )
  gauge(
    'keycard_unpublished_revocations',
    'Recorded revocations that the deny-list in Redis does not hold yet; NaN while Postgres is away',
    () => revocation.countUnpublished().catch(() => Number.NaN)
  )
}

function measureAnswers(registry: Registry, revocation: RevocationService): void {
  const registers = [registry]
  const answers = new Histogram({
    name: 'keycard_revocation_answer_seconds',
    help: 'From the commit of a revocation to the proof that no node accepts what it covers',
    labelNames: ['kind', 'guarantee'],
    buckets: answerBuckets,
    registers
  })
  const unconfirmed = new Counter({
    name: 'keycard_revocations_unconfirmed_total',
    help: 'Revocations answered 503: recorded, and not confirmed within the deadline',
    labelNames: ['kind'],
    registers
  })
  const turns = new Counter({
    name: 'keycard_replica_transitions_total',
    help: 'How often this node began to decide from its replica (to="replica") or fell back to Postgres',
    labelNames: ['to'],
    registers
  })
  revocation.observe({
    confirmed: (kind, guarantee, tookMs) => answers.observe({ kind, guarantee }, tookMs / 1_000),
    unconfirmed: (kind) => unconfirmed.inc({ kind }),
    turned: (decidesFromReplica) => turns.inc({ to: decidesFromReplica ? 'replica' : 'database' })
  })
  if (revocation.status().decidesFrom === 'replica') turns.inc({ to: 'replica' })
}

export default fp(revocationMetrics, {
  name: 'revocation-metrics',
  fastify: '5.x',
  dependencies: ['metrics', 'revocation']
})
