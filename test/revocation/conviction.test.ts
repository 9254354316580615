import fc from 'fast-check'
import t from 'tap'
import { convictionOf, type Evidence, weakestOf } from '../../src/revocation/conviction.js'
import { isWithin } from '../../src/revocation/horizon.js'
import type { StandingNode } from '../../src/revocation/standing.js'

const node: StandingNode = {
  id: 'b',
  mode: 'replica',
  dataSet: 'one',
  applied: null,
  leaseMs: 500,
  isLapsed: false
}

const evidence: Evidence = {
  ownId: 'a',
  xids: ['100'],
  committedForMs: 5,
  currentDataSet: 'one',
  currentForMs: 5,
  published: { place: '7-0', forMs: 4 },
  failoverFenceMs: 10_000,
  follower: () => ({ place: '6-0', silentForMs: 0 })
}

t.test('a snapshot sees a transaction as Postgres says', async () => {
  t.equal(isWithin('9', '10:20:10,14'), true, 'all before xmin have ended')
  t.equal(isWithin('10', '10:20:10,14'), false, 'in progress')
  t.equal(isWithin('11', '10:20:10,14'), true)
  t.equal(isWithin('14', '10:20:10,14'), false)
  t.equal(isWithin('20', '10:20:10,14'), false, 'not begun')
  t.equal(isWithin('19', '20:20:'), true)
  t.equal(isWithin('18446744073709551000', '10:20:10,14'), false, 'beyond a double')
})

t.test(
  'nothing is known of a follower that has neither applied it nor fallen silent',
  async (t) => {
    t.equal(convictionOf(node, evidence), undefined)
    t.equal(convictionOf({ ...node, mode: 'database' }, evidence), 'database')
    t.equal(convictionOf({ ...node, id: 'a' }, evidence), 'applied', 'we have applied it ourselves')
    t.equal(convictionOf({ ...node, applied: '101:101:' }, evidence), 'applied', 'its row says so')
    t.equal(convictionOf({ ...node, applied: '100:101:100' }, evidence), undefined)
    const two = { ...evidence, xids: ['100', '105'] }
    t.equal(convictionOf({ ...node, applied: '104:106:105' }, two), undefined, 'one of two')
    t.equal(convictionOf({ ...node, applied: '106:106:' }, two), 'applied')
    const reached = { ...evidence, follower: () => ({ place: '7-0' as const, silentForMs: 0 }) }
    t.equal(convictionOf(node, reached), 'applied')
    t.equal(
      convictionOf({ ...node, dataSet: 'other' }, reached),
      undefined,
      'its place is one of another data set'
    )
  }
)

t.test('a lease counts from the publication in the data set that counts', async (t) => {
  const after = (forMs: number): Evidence => ({
    ...evidence,
    published: { place: '7-0', forMs }
  })
  t.equal(convictionOf(node, after(549)), undefined)
  t.equal(convictionOf(node, after(550)), 'lease-expired')
  t.equal(convictionOf({ ...node, leaseMs: 1_000 }, after(550)), undefined, "the node's own lease")
  const elsewhere = { ...node, dataSet: 'a deposed primary' }
  t.equal(convictionOf(elsewhere, after(10_549)), undefined)
  t.equal(convictionOf(elsewhere, after(10_550)), 'lease-expired')
  const unpublished = { ...evidence, published: undefined, committedForMs: 60_000 }
  t.equal(convictionOf(node, unpublished), undefined, 'it may be reading on')
})

t.test('a node that was seen to have stopped reading is not waited for again', async (t) => {
  const silentFor = (silentForMs: number): Evidence => ({
    ...evidence,
    follower: () => ({ place: '6-0', silentForMs })
  })
  t.equal(convictionOf(node, silentFor(549)), undefined)
  t.equal(convictionOf(node, silentFor(550)), 'lease-expired')
})

t.test('a node that never read the data set that counts has no lease', async (t) => {
  t.equal(convictionOf(node, { ...evidence, follower: () => 'never read' }), 'lease-expired')
  t.equal(convictionOf(node, { ...evidence, follower: () => undefined }), undefined, 'who knows')
})

t.test('a node that follows what no longer counts is not waited for again', async (t) => {
  const elsewhere = { ...node, dataSet: 'what counted before' }
  const afterMs = (currentForMs: number, failoverFenceMs: number) =>
    convictionOf(elsewhere, { ...evidence, currentForMs, failoverFenceMs })
  t.equal(afterMs(549, 0), undefined)
  t.equal(afterMs(550, 0), 'lease-expired')
  t.equal(afterMs(10_549, 10_000), undefined)
  t.equal(afterMs(10_550, 10_000), 'lease-expired')
})

t.test('a follower of Postgres is waited for from the commit on', async (t) => {
  const follower: StandingNode = { ...node, dataSet: null }
  const alone = { ...evidence, published: undefined, currentDataSet: null }
  t.equal(convictionOf(follower, { ...alone, committedForMs: 549 }), undefined)
  t.equal(convictionOf(follower, { ...alone, committedForMs: 550 }), 'lease-expired')
  t.equal(convictionOf({ ...follower, isLapsed: true }, alone), 'lease-expired')
})

t.test('the guarantee is the weakest of all', async () => {
  const conviction = fc.constantFrom('applied', 'lease-expired', 'database', undefined)
  fc.assert(
    fc.property(fc.array(conviction), (all) => {
      const weakest = weakestOf(all)
      if (all.includes(undefined)) return weakest === undefined
      if (all.includes('lease-expired')) return weakest === 'lease-expired'
      return weakest === (all.includes('applied') ? 'applied' : 'database')
    })
  )
})
