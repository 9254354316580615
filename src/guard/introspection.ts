import { Type } from 'typebox'
import { Value } from 'typebox/value'
import { type KeycardApi, unexpected } from './keycard-api.js'

const AnswerSchema = Type.Object({ active: Type.Boolean() })

/**
 * Asks Keycard about one token (RFC 7662): what a node does that has no replica to decide from.
 *
 * @throws KeycardUnavailable
 */
export function createIntrospection(api: KeycardApi) {
  return async function isActive(token: string): Promise<boolean> {
    const answer = await api.post('/oauth/introspect', { token })
    if (answer.status !== 200 || !Value.Check(AnswerSchema, answer.body)) throw unexpected(answer)
    return answer.body.active
  }
}
