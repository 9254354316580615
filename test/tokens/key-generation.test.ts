import t from 'tap'
import { generateKeyRing } from '../../src/tokens/key-generation.js'
import { parseKeyRing, parseKeyRingText } from '../../src/tokens/key-ring.js'
import { createTestTokens, newGrant } from '../support/token-service.js'

for (const algorithm of ['EdDSA', 'ES256', 'RS256'] as const) {
  t.test(`a generated ${algorithm} key ring survives its file and signs`, async (t) => {
    const text = JSON.stringify(await generateKeyRing(algorithm))
    const [before, after] = [parseKeyRingText(text, algorithm), parseKeyRingText(text, algorithm)]
    const { token } = createTestTokens(before).issue(newGrant())
    t.equal(createTestTokens(after).verify(token).kind, 'valid')
    t.match(before.active.kid, /^[A-Za-z0-9_-]{43}$/)
  })
}

t.test('every generated key is another one', async (t) => {
  const [one, two] = [await generateKeyRing('EdDSA'), await generateKeyRing('EdDSA')]
  t.not(parseKeyRing(one).active.kid, parseKeyRing(two).active.kid)
})
