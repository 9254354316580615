import type { FastifyBaseLogger } from 'fastify'
import type { Config } from '../config.js'
import type { AccessTokens } from '../tokens/access-tokens.js'
import { readKeyRing } from './key-material.js'
import { describeStartFailure } from './start-failure.js'

/**
 * With a key ring file, SIGHUP reads it again: rotation, and emergency retirement, without a
 * restart. A file that is wrong changes nothing, and the log says what is wrong with it.
 */
export function reloadKeysOnHangup(
  { keysFile, algorithm }: Config['jwt'],
  accessTokens: AccessTokens,
  log: FastifyBaseLogger
): void {
  if (keysFile === undefined) return
  process.on('SIGHUP', () => {
    readKeyRing(keysFile, algorithm).then(
      (keyRing) => {
        accessTokens.replaceKeyRing(keyRing)
        const kids = keyRing.keys.map((key) => `${key.kid} (${key.status})`)
        log.warn({ event: 'keys.reloaded', kids }, 'The key ring was read again')
      },
      (error: unknown) => {
        const reason = describeStartFailure(error)
        log.error({ event: 'keys.not_reloaded', reason }, 'The key ring stays as it was')
      }
    )
  })
}
