import t from 'tap'
import { newKeyRing } from '../support/key-rings.js'
import { startKeycard } from '../support/keycard.js'
import { mutatedTokens, unmutatedToken } from '../support/mutated-tokens.js'
import { head, openConnection } from '../support/raw-connection.js'
import { me, verdict } from '../support/session-calls.js'

const batchSize = 40

for (const algorithm of ['HS256', 'ES256'] as const) {
  t.test(`hundreds of mutated ${algorithm} tokens are all 401`, async (t) => {
    const keyRing = newKeyRing(algorithm)
    const keycard = await startKeycard(t, { keyRing, env: { LOG_LEVEL: 'silent' } })
    const { accessToken } = await keycard.register()
    const verification = keycard.accessTokens.verify(accessToken)
    if (verification.kind !== 'valid') throw new Error('The control is no good')
    const { claims } = verification
    const material = { key: keyRing.active, claims, ttlSeconds: claims.exp - claims.iat }

    t.equal(verdict(await me(keycard, unmutatedToken(material))), 200, 'the unmutated one is good')
    const mutations = mutatedTokens(material)
    const sendable = mutations.filter((mutation) => mutation.sendable)
    t.ok(sendable.length > 400, `${String(sendable.length)} mutations`)
    const wrong: string[] = []
    for (let start = 0; start < sendable.length; start += batchSize) {
      const batch = sendable.slice(start, start + batchSize)
      const answers = await Promise.all(batch.map(({ token }) => me(keycard, token)))
      for (const [index, { status, body, headers }] of answers.entries()) {
        const challenge = headers.get('www-authenticate')
        const found = `${status} ${body.code ?? ''} ${challenge ?? ''}`
        if (found !== '401 INVALID_TOKEN Bearer error="invalid_token"') {
          wrong.push(`${batch[index]?.name ?? ''}: ${found}`)
        }
      }
    }
    t.same(wrong, [])

    const port = Number(new URL(keycard.url).port)
    for (const { name, token } of mutations.filter((mutation) => !mutation.sendable)) {
      const connection = await openConnection(t, port)
      connection.write(head('GET /api/auth/me', `Authorization: Bearer ${token}`))
      const { status } = await connection.answer()
      // Space around a field value is no part of it (RFC 9110 §5.5).
      const isGenuine = keycard.accessTokens.verify(token.trim()).kind === 'valid'
      const possible = isGenuine ? [200, 400, 401] : [400, 401, 431]
      t.ok(possible.includes(status), `${name}: ${String(status)}`)
    }
    t.equal(verdict(await me(keycard, accessToken)), 200, 'the genuine one lives')
  })
}
