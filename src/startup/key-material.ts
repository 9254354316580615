import { createSecretKey } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Config } from '../config.js'
import { openDataDir } from '../embedded/data-dir.js'
import { developmentSecrets } from '../embedded/secrets.js'
import { StartError } from '../embedded/start-error.js'
import { writeOnce } from '../embedded/write-once.js'
import { generateKeyRing } from '../tokens/key-generation.js'
import { type KeyRing, keyRingFromSecret, parseKeyRingText } from '../tokens/key-ring.js'
import { KeyRingError } from '../tokens/key-ring-error.js'

export interface KeyMaterial {
  readonly keyRing: KeyRing
  readonly refreshSecret: string
}

/**
 * The keys that the configuration names, or, in development, ones that were made at the first start
 * and stay under the data directory. Production has no defaults: the configuration refuses that.
 *
 * @throws KeyRingError, StartError
 */
export async function loadKeyMaterial(config: Config): Promise<KeyMaterial> {
  const keyRing = await loadKeyRing(config)
  const refreshSecret =
    config.refresh.secret ?? (await developmentSecrets(config.dataDir)).refreshSecret
  refuseSharedSecret(refreshSecret, keyRing)
  return { keyRing, refreshSecret }
}

/** One purpose per key: a refresh token must not be signed with what signs access tokens. */
function refuseSharedSecret(secret: string, { keys }: KeyRing): void {
  const key = createSecretKey(Buffer.from(secret, 'utf8'))
  const isShared = keys.some(
    ({ verifyWith }) => verifyWith.type === 'secret' && verifyWith.equals(key)
  )
  if (isShared)
    throw new KeyRingError('REFRESH_SECRET must be another one than the keys of JWT_KEYS_FILE.')
}

async function loadKeyRing({ jwt, dataDir }: Config): Promise<KeyRing> {
  if (jwt.keysFile !== undefined) return await readKeyRing(jwt.keysFile, jwt.algorithm)
  if (jwt.secret !== undefined) return keyRingFromSecret(jwt.secret)
  if (jwt.algorithm === 'HS256') {
    return keyRingFromSecret((await developmentSecrets(dataDir)).jwtSecret)
  }
  const file = join(await openDataDir(dataDir), `development-keys-${jwt.algorithm}.json`)
  const { algorithm } = jwt
  const make = async () => JSON.stringify(await generateKeyRing(algorithm), null, 2)
  return parseKeyRingText(await writeOnce(file, make), algorithm)
}

/** @throws KeyRingError, StartError */
export async function readKeyRing(
  file: string,
  algorithm: Config['jwt']['algorithm']
): Promise<KeyRing> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new StartError(
      `JWT_KEYS_FILE ${file} can't be read: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause }
    )
  })
  return parseKeyRingText(text, algorithm)
}
