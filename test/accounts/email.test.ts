import fc from 'fast-check'
import t from 'tap'
import { canonicalEmail } from '../../src/accounts/email.js'

t.test('case and composition make no other address', async (t) => {
  t.equal(canonicalEmail('Ada.Lovelace+Tag@EXAMPLE.com'), 'ada.lovelace+tag@example.com')
  t.equal(canonicalEmail('Zoe\u0308@example.com'), canonicalEmail('zo\u00eb@example.com'))
})

t.test('what a provider may tell apart stays apart', async (t) => {
  t.not(canonicalEmail('ada.lovelace@example.com'), canonicalEmail('adalovelace@example.com'))
  t.not(canonicalEmail('ada+1@example.com'), canonicalEmail('ada@example.com'))
})

t.test('the canonical form of a canonical form is itself', async () => {
  fc.assert(
    fc.property(fc.oneof(fc.emailAddress(), fc.string({ unit: 'binary' })), (email) => {
      const canonical = canonicalEmail(email)
      return canonicalEmail(canonical) === canonical
    }),
    { numRuns: 2_000 }
  )
})
