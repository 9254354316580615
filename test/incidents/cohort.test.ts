import fc from 'fast-check'
import t from 'tap'
import type { Incident } from '../../src/incidents/store.js'
import type { IncidentTarget } from '../../src/incidents/target.js'
import { startKeycard } from '../support/keycard.js'
import { nobody } from '../support/origin.js'
import { addCrowd, incidentsOf, unrevoked } from '../support/population.js'

void fc
t.test('smoke', async (t) => {
  const keycard = await startKeycard(t)
  const crowd = await addCrowd(keycard, 60, { keyIds: ['k1'] })
  const others = await addCrowd(keycard, 5, { keyIds: ['k2'] })
  const incidents = incidentsOf(keycard, { batchSize: 25 })
  const target: IncidentTarget = { kind: 'cohort', keyId: 'k1' }
  const estimate = await incidents.estimate(target)
  t.match(estimate, { sessions: 60, accounts: 60, spared: 0, nodes: 1 })
  const start = await incidents.start({ target, reason: 'test', origin: nobody })
  if (start.kind !== 'started') throw new Error('no')
  const seen: Incident[] = []
  const done = await incidents.run(start.incident.id, { onProgress: (i) => seen.push(i) })
  t.match(done, { status: 'finished', sessionsRevoked: 60, batches: 3 })
  t.comment(JSON.stringify(done), JSON.stringify(estimate), seen.length)
  const left = await unrevoked(keycard)
  t.equal(crowd.filter((id) => left.has(id)).length, 0)
  t.ok(others.every((id) => left.has(id)))
})
