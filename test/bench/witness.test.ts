import fc from 'fast-check'
import t from 'tap'
import { createWitness } from '../../bench/load/witness.js'

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
        const answer = { status, body: '', sentAt, receivedAt: sentAt + took }
        witness.judge('verify', { askedAt, answeredAt }, answer)
        const isViolation = status === 200 && answeredAt !== undefined && sentAt > answeredAt
        return witness.violations.length === (isViolation ? 1 : 0)
      }
    )
  )
})

t.test('nobody may be told that a token is revoked before somebody asks for it', async (t) => {
  const refused = (code: string) => ({
    ...{ status: 401, body: `{"code":"${code}"}` },
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
