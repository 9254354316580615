import { claimMutations } from './mutations/claims.js'
import { encodingMutations } from './mutations/encodings.js'
import { headerMutations } from './mutations/headers.js'
import { jsonMutations } from './mutations/json.js'
import { signatureMutations } from './mutations/signatures.js'
import { createForge, type ForgeMaterial } from './token-forge.js'

export interface MutatedToken {
  readonly name: string
  readonly token: string
  /** What the log is to say about it. */
  readonly reason: string
  /** Whether an HTTP client can put it into an Authorization header as it is. */
  readonly sendable: boolean
}

/**
 * More than six hundred tokens that must all be refused, although most of them carry a genuine signature of the
 * given key: each is the valid token of `claims` with one thing wrong. Valid are those claims only while the
 * service's clock is between their iat and exp.
 */
export function mutatedTokens(material: ForgeMaterial): MutatedToken[] {
  const forge = createForge(material)
  const mutations = [
    ...encodingMutations(forge),
    ...jsonMutations(forge),
    ...headerMutations(forge),
    ...claimMutations(forge),
    ...signatureMutations(forge)
  ]
  return mutations.map(([name, token, reason]) => ({
    name,
    token,
    reason,
    sendable: /^[\x21-\x7e]{1,8000}$/.test(token)
  }))
}

/** The control: the same claims and key, nothing wrong. */
export function unmutatedToken(material: ForgeMaterial): string {
  return createForge(material).genuine
}
