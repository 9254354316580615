import t from 'tap'
import { jwtAlgorithms } from '../../src/tokens/algorithms.js'
import { newKeyRing } from '../support/key-rings.js'
import { mutatedTokens, unmutatedToken } from '../support/mutated-tokens.js'
import { createTestTokens, newGrant, ttlSeconds } from '../support/token-service.js'

for (const algorithm of jwtAlgorithms) {
  t.test(`every mutated ${algorithm} token is invalid for its own reason`, (t) => {
    const keyRing = newKeyRing(algorithm)
    const tokens = createTestTokens(keyRing)
    const { claims } = tokens.issue(newGrant())
    const material = { key: keyRing.active, claims, ttlSeconds }

    const control = tokens.verify(unmutatedToken(material))
    t.same(control, { kind: 'valid', claims }, 'the unmutated token is valid')

    const mutations = mutatedTokens(material)
    const unexpected = mutations.flatMap(({ name, token, reason }) => {
      const verdict = tokens.verify(token)
      const said = verdict.kind === 'invalid' ? verdict.reason : verdict.kind
      return said === reason ? [] : [`${name}: ${said}, expected ${reason}`]
    })
    t.same(unexpected, [])
    t.ok(mutations.length > 400, `${String(mutations.length)} mutations`)
    const names = mutations.map(({ name }) => name)
    t.same(
      names.filter((name, index) => names.indexOf(name) !== index),
      [],
      'each has its own name'
    )
    t.notOk(mutations.some(({ token }) => token === unmutatedToken(material)))
    t.end()
  })
}
