import t from 'tap'
import type { Database } from '../../src/database/connection.js'
import type { Rotation } from '../../src/sessions/rotation.js'
import { domainOf } from '../support/domain.js'
import { startKeycard } from '../support/keycard.js'
import { createManualClock } from '../support/manual-clock.js'
import { nobody } from '../support/origin.js'

const cause = { reason: 'test', origin: null }
const { clock, advanceSeconds } = createManualClock()
const keycard = await startKeycard(t, { clock })
const { database, revocation } = keycard.app

/** A database after whose next change this process is held up, and others go on. */
function heldUp(meanwhile: () => Promise<unknown>): Database {
  let isNext = true
  return {
    ...database,
    async write(query) {
      const result = await database.write(query)
      if (isNext) {
        isNext = false
        await meanwhile()
      }
      return result
    }
  }
}

/** When the token dies by itself, in ms since the epoch. */
function endOf(rotation: Rotation | undefined): number {
  if (rotation?.kind !== 'rotated') throw new Error(`It was not rotated but ${rotation?.kind}`)
  const verification = keycard.accessTokens.verify(rotation.credentials.accessToken)
  // An expired token is as dead as can be.
  return verification.kind === 'valid' ? verification.claims.exp * 1_000 : clock()
}

for (const isKnown of [false, true]) {
  t.test(
    'a token that is minted long after its facts were read does not outlive them',
    async (t) => {
      const person = await keycard.register()
      const { accounts } = domainOf(keycard, { clock })
      let liveUntilMs = Number.NaN
      const { sessions } = domainOf(keycard, {
        clock,
        database: heldUp(async () => {
          await accounts.logOutEverywhere(person.id, nobody)
          const live = await revocation.findLive('user', person.id)
          liveUntilMs = live?.liveUntil.getTime() ?? Number.NaN
          advanceSeconds(600)
        })
      })
      const found = await sessions.authenticate(person.refreshToken)
      const token = isKnown ? await sessions.recognise(person.refreshToken) : found
      t.equal(token?.found === undefined, isKnown)
      const rotation = token && (await sessions.rotate(token, nobody))
      t.ok(endOf(rotation) <= liveUntilMs, 'its revocation is remembered for longer than it lives')
    }
  )
}

t.test(
  'nor does one that is minted long after its session was read, as a repetition',
  async (t) => {
    const person = await keycard.register()
    const { sessions } = domainOf(keycard, { clock })
    const first = await sessions.authenticate(person.refreshToken)
    t.equal((first && (await sessions.rotate(first, nobody)))?.kind, 'rotated')
    const again = await sessions.authenticate(person.refreshToken)
    await sessions.revoke(person.sessionId, cause)
    const live = await revocation.findLive('session', person.sessionId)
    advanceSeconds(9)
    const repeated = again && (await sessions.rotate(again, nobody))
    if (repeated?.kind !== 'repeated') throw new Error(`It was not repeated but ${repeated?.kind}`)
    const verification = keycard.accessTokens.verify(repeated.credentials.accessToken)
    if (verification.kind !== 'valid') throw new Error('What was minted is no good')
    const endMs = verification.claims.exp * 1_000
    t.ok(
      endMs + 30_000 <= (live?.liveUntil.getTime() ?? 0),
      'its whole allowance for clocks is left'
    )
  }
)
