import { Type } from 'typebox'
import { Value } from 'typebox/value'
import { every } from '../every.js'
import type { Log } from '../revocation/log.js'
import type { AsymmetricAlgorithm } from '../tokens/algorithms.js'
import { loadVerificationKey } from '../tokens/key-material.js'
import type { RingKey } from '../tokens/key-ring.js'
import { type KeycardApi, unexpected } from './keycard-api.js'

/** A key that Keycard has retired is believed for no longer than this. */
const refreshMs = 30_000
/** Whoever sends made-up key ids makes nobody ask more often than this. */
const coolDownMs = 1_000

const JwksSchema = Type.Object({
  keys: Type.Array(Type.Object({ kid: Type.String(), alg: Type.String() }))
})

export type RemoteKeys = ReturnType<typeof createRemoteKeys>

/**
 * Keycard's public keys (RFC 7517), fetched again every 30 s and whenever a token names one that is not
 * known yet. While Keycard does not answer, the keys stay as they were.
 */
export function createRemoteKeys(options: {
  readonly api: KeycardApi
  readonly algorithm: AsymmetricAlgorithm
  readonly log: Log
  /** Called with all keys whenever they were fetched. */
  readonly onKeys: (keys: readonly RingKey[]) => void
}) {
  const { api, algorithm, log, onKeys } = options
  let fetchedAt = Number.NEGATIVE_INFINITY
  let fetching: Promise<void> | undefined
  let refreshing: ReturnType<typeof every> | undefined

  async function fetchKeys(): Promise<void> {
    fetchedAt = performance.now()
    const answer = await api.get('/.well-known/jwks.json')
    if (answer.status !== 200 || !Value.Check(JwksSchema, answer.body)) throw unexpected(answer)
    const keys = answer.body.keys.filter(({ alg }) => alg === algorithm)
    onKeys(
      keys.map((key) => ({
        kid: key.kid,
        algorithm,
        status: 'verify',
        verifyWith: loadVerificationKey({ name: `The key ${key.kid}`, algorithm, key })
      }))
    )
  }

  async function refresh(): Promise<void> {
    fetching ??= fetchKeys()
      .catch(() => log.warn({ event: 'keys.not_fetched' }, 'The keys stay as they were'))
      .finally(() => {
        fetching = undefined
      })
    await fetching
  }

  return {
    /** @throws KeycardUnavailable, KeyRingError */
    async start(): Promise<void> {
      await fetchKeys()
      refreshing = every(refreshMs, refresh)
    },

    /** Fetches the keys again, unless that was done a moment ago. Never rejects. */
    find: async (): Promise<void> => {
      if (performance.now() - fetchedAt > coolDownMs) await refresh()
    },

    async stop(): Promise<void> {
      await refreshing?.stop()
    }
  }
}
