import t from 'tap'
import { jwtAlgorithms } from '../../src/tokens/algorithms.js'
import { generateKey } from '../../src/tokens/key-generation.js'
import { parseKeyRing } from '../../src/tokens/key-ring.js'
import { activateKey, retireKey, stagedKeys, stageKey } from '../../src/tokens/key-ring-edit.js'
import { createTestTokens, newGrant } from '../support/token-service.js'

for (const algorithm of jwtAlgorithms) {
  t.test(`a ring of ${algorithm} keys is edited step by step, and always good`, async (t) => {
    const [old, next] = [await generateKey(algorithm), await generateKey(algorithm)]
    t.not(old.kid, next.kid)
    const tokens = createTestTokens(parseKeyRing([old], algorithm))
    const before = tokens.issue(newGrant()).token
    const steps = {
      staged: stageKey([old], next),
      activated: activateKey(stageKey([old], next), next.kid),
      retired: retireKey(activateKey(stageKey([old], next), next.kid), old.kid)
    }
    t.same(stagedKeys(steps.staged), [next.kid])

    tokens.replaceKeyRing(parseKeyRing(steps.staged, algorithm))
    t.equal(tokens.activeKeyId(), old.kid)
    tokens.replaceKeyRing(parseKeyRing(steps.activated, algorithm))
    t.equal(tokens.activeKeyId(), next.kid)
    const after = tokens.issue(newGrant()).token
    for (const token of [before, after]) t.equal(tokens.verify(token).kind, 'valid')
    tokens.replaceKeyRing(parseKeyRing(steps.retired, algorithm))
    t.equal(tokens.verify(before).kind, 'invalid')
    t.equal(tokens.verify(after).kind, 'valid')

    const retired = steps.retired.find(({ kid }) => kid === old.kid)
    if (algorithm === 'HS256') t.equal(retired?.key, undefined, 'of a secret nothing stays')
    else t.notMatch(retired?.key, { d: String }, 'the private part is gone')
  })
}

t.test('what would leave no good ring is refused', async (t) => {
  const [old, next] = [await generateKey('EdDSA'), await generateKey('EdDSA')]
  const rotated = activateKey(stageKey([old], next), next.kid)
  t.throws(() => retireKey(rotated, next.kid), /is active: rotate first/)
  t.throws(() => activateKey(rotated, old.kid), /only its public part/, 'an old key comes not back')
  t.throws(() => activateKey(rotated, next.kid), /only a staged key/)
  t.throws(() => activateKey(retireKey(rotated, old.kid), old.kid), /only a staged key/)
  t.throws(() => retireKey(rotated, 'unknown'), /no key "unknown"/)
})
