import fc from 'fast-check'
import t from 'tap'
import { createWitness } from '../../bench/load/witness.js'

const target = { host: '127.0.0.1', port: 1 }
const instant = fc.integer({ min: 0, max: 20 })

t.test('only what was sent after the answer and accepted is a violation', async () => {
  fc.assert(
    fc.property(
      fc.record({
        sentAt: instant,
        took: instant,
        askedAt: instant,
        answeredAfter: fc.option(instant, { nil: undefined })
      }),
      fc.constantFrom(200, 401, 503),
      ({ sentAt, took, askedAt, answeredAfter }, status) => {
        const answeredAt = answeredAfter === undefined ? undefined : askedAt + answeredAfter
        const witness = createWitness()
        const answer = { status, body: '', target, sentAt, receivedAt: sentAt + took }
        witness.judge('verify', { askedAt, answeredAt }, answer)
        const isViolation = status === 200 && answeredAt !== undefined && sentAt > answeredAt
        return witness.violations.length === (isViolation ? 1 : 0)
      }
    )
  )
})

t.test('nobody may be told that a token is revoked before somebody asks for it', async (t) => {
  const refused = (code: string) => ({
    ...{ status: 401, body: `{"code":"${code}"}`, target },
    ...{ sentAt: 5, receivedAt: 9 }
  })
  const unjust = (askedAt: number | undefined, code = 'TOKEN_REVOKED') => {
    const witness = createWitness()
    witness.judge('verify', { askedAt, answeredAt: undefined }, refused(code))
    return witness.unjustRefusals()
  }
  t.equal(unjust(undefined), 1)
  t.equal(unjust(10), 1)
  t.equal(unjust(8), 0, 'it was on its way')
  t.equal(unjust(undefined, 'TOKEN_EXPIRED'), 0)
})

t.test('only a refusal of what was revoked, sent after the answer, is evidence', async (t) => {
  const witness = createWitness()
  const revocation = { askedAt: 1, answeredAt: 5 }
  const shown = (what: 'verify' | 'refresh', sentAt: number, code: string) => {
    const before = witness.refused(what)
    const body = `{"code":"${code}"}`
    witness.judge(what, revocation, { status: 401, body, target, sentAt, receivedAt: 9 })
    return witness.refused(what) - before
  }
  t.equal(shown('verify', 6, 'TOKEN_REVOKED'), 1)
  t.equal(shown('verify', 5, 'TOKEN_REVOKED'), 0, 'it was on its way')
  t.equal(shown('verify', 6, 'TOKEN_EXPIRED'), 0)
  t.equal(shown('refresh', 6, 'INVALID_REFRESH_TOKEN'), 1)
  t.equal(shown('refresh', 6, 'TOKEN_REVOKED'), 0)
  t.same([witness.refusedOn(1), witness.refusedOn(2)], [2, 0])
})
