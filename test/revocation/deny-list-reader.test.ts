import t from 'tap'
import type { CoveredClaims } from '../../src/revocation/decision.js'
import { createDenyListReader } from '../../src/revocation/deny-list-reader.js'
import { RevocationState } from '../../src/revocation/state.js'

const claims = (jti: string): CoveredClaims => ({ jti, sid: 's', sub: 'u', ver: 1, gen: 1 })

/** Answers each token with a view whose generation is the number in its id. */
function createAsk() {
  const batches: string[][] = []
  return {
    batches,
    ask: async (batch: readonly CoveredClaims[]) => {
      batches.push(batch.map(({ jti }) => jti))
      return batch.map(({ jti }) => new RevocationState(Number(jti)))
    }
  }
}

t.test('tokens that arrive in one turn are asked for together', async (t) => {
  const { ask, batches } = createAsk()
  const read = createDenyListReader(ask)
  const views = await Promise.all(['1', '2', '3'].map((jti) => read(claims(jti))))
  t.same(batches, [['1', '2', '3']])
  t.same(
    views.map((view) => view?.generation),
    [1, 2, 3]
  )
  await read(claims('4'))
  t.same(batches, [['1', '2', '3'], ['4']])
})

t.test('no question is longer than a script can take', async (t) => {
  const { ask, batches } = createAsk()
  const read = createDenyListReader(ask)
  const ids = Array.from({ length: 600 }, (_, index) => `${index}`)
  const views = await Promise.all(ids.map((jti) => read(claims(jti))))
  t.same(
    batches.map((batch) => batch.length),
    [256, 256, 88]
  )
  t.same(
    views.map((view) => `${view?.generation}`),
    ids
  )
})

t.test('where nothing may be concluded, every token is told so', async (t) => {
  const read = createDenyListReader(async () => undefined)
  t.same(await Promise.all([read(claims('1')), read(claims('2'))]), [undefined, undefined])
})

t.test('a failure is the failure of every token of the question', async (t) => {
  const read = createDenyListReader(async () => {
    throw new Error('away')
  })
  const outcomes = await Promise.allSettled([read(claims('1')), read(claims('2'))])
  t.same(
    outcomes.map(({ status }) => status),
    ['rejected', 'rejected']
  )
})
