import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import t from 'tap'
import { keyRingFromSecret } from '../../src/tokens/key-ring.js'
import { createVerifiedTokens, type VerifiedToken } from '../../src/tokens/verified-tokens.js'
import { createManualClock } from '../support/manual-clock.js'
import { newSecret } from '../support/key-rings.js'
import { createTestTokens, newGrant, startMs, ttlSeconds } from '../support/token-service.js'

t.test('a token that was verified is one object for all who bring it, and frozen', async (t) => {
  const tokens = createTestTokens(keyRingFromSecret(newSecret()))
  const { token } = tokens.issue(newGrant())
  tokens.verify(token)
  const [first, second] = [tokens.verify(token), tokens.verify(token)]
  t.equal(first, second)
  t.ok(Object.isFrozen(first))
  if (first.kind !== 'valid') throw new Error('The token is no good')
  t.ok(Object.isFrozen(first.claims))
  t.ok(Object.isFrozen(first.claims.roles))
})

t.test('a token that is remembered expires to the millisecond', async (t) => {
  const { clock, advanceMs } = createManualClock()
  const tokens = createTestTokens(keyRingFromSecret(newSecret()), { clock })
  const { token } = tokens.issue(newGrant())
  t.equal(tokens.verify(token).kind, 'valid')
  advanceMs(ttlSeconds * 1_000 - 1)
  t.equal(tokens.verify(token).kind, 'valid')
  advanceMs(1)
  t.equal(tokens.verify(token).kind, 'expired')
  advanceMs(-ttlSeconds * 1_000 - 31_000)
  t.same(
    tokens.verify(token),
    { kind: 'invalid', reason: 'claim-iat' },
    'a clock that was set back'
  )
})

t.test('nothing but the very text of a token is remembered', async (t) => {
  const tokens = createTestTokens(keyRingFromSecret(newSecret()))
  const { token } = tokens.issue(newGrant())
  t.equal(tokens.verify(token).kind, 'valid')
  for (const place of [0, 40, token.indexOf('.') + 3, token.length - 20]) {
    const other = token[place] === 'A' ? 'B' : 'A'
    const changed = `${token.slice(0, place)}${other}${token.slice(place + 1)}`
    t.equal(tokens.verify(changed).kind, 'invalid', `character ${place}`)
  }
})

t.test('with and without memory, every token is judged alike', async (t) => {
  const keyRing = keyRingFromSecret(newSecret())
  const issuing = createManualClock()
  const issuer = createTestTokens(keyRing, { clock: issuing.clock })
  const texts = Array.from({ length: 6 }, () => {
    issuing.advanceSeconds(200)
    return issuer.issue(newGrant()).token
  })
  texts.push(`${texts[0] ?? ''}x`, 'no token')
  const step = fc.record({
    token: fc.constantFrom(...texts),
    moveMs: fc.integer({ min: -400_000, max: 900_000 })
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      let nowMs = startMs
      const clock = () => nowMs
      const remembering = createTestTokens(keyRing, { clock, cacheSize: 4 })
      const forgetful = createTestTokens(keyRing, { clock, cacheSize: 0 })
      for (const { token, moveMs } of steps) {
        nowMs += moveMs
        t.same(remembering.verify(token), forgetful.verify(token))
      }
    }),
    { numRuns: 100 }
  )
})

t.test('no more than the limit is remembered, and what is in use stays', async (t) => {
  const known = createVerifiedTokens(100)
  const entry = { fromMs: 0, untilMs: 1 } as VerifiedToken
  known.add('in use', entry)
  for (let count = 0; count < 1_000; count++) {
    known.add(`token ${count}`, entry)
    t.ok(known.find('in use') === entry)
    if (known.size() > 100) t.fail(`${known.size()} tokens`)
  }
  known.clear()
  t.equal(known.size(), 0)
  const none = createVerifiedTokens(0)
  none.add('x', entry)
  t.equal(none.find('x'), undefined)
})

t.test('nothing of a request is kept alive by a token that it brought', async (t) => {
  setFlagsFromString('--expose-gc')
  const collectGarbage = runInNewContext('gc') as () => void
  const count = 200
  const headerBytes = 100_000
  const known = createVerifiedTokens(4 * count)
  const entry = { fromMs: 0, untilMs: 1 } as VerifiedToken
  /** A token as a slice of what came over the wire. */
  function brought(index: number): string {
    const header = Buffer.alloc(headerBytes, '-')
    header.write(`${index}`.padStart(80, '-'), headerBytes - 80)
    return header.toString('latin1').slice(-80)
  }
  for (let index = 0; index < count; index++) known.add(brought(index), entry)
  for (let index = 0; index <= count; index++) known.add(`other ${index}`, entry)
  collectGarbage()
  const before = process.memoryUsage().heapUsed
  const found = Array.from({ length: count }, (_, index) => known.find(brought(index)))
  t.ok(found.every((one) => one === entry))
  collectGarbage()
  const kept = process.memoryUsage().heapUsed - before
  t.ok(kept < (count * headerBytes) / 4, `${kept} bytes`)
})
