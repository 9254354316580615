import { stat } from 'node:fs/promises'
import type { Config } from '../../config.js'
import { loadKeyMaterial, type KeyMaterial } from '../../startup/key-material.js'
import { describeFailure } from '../failure.js'
import { type Check, type Finding, finder, run } from './finding.js'
import { distinctness, guessable, type Secrets } from './secrets.js'

interface KeyFacts extends KeyMaterial {
  readonly config: Config
  /** The permission bits of JWT_KEYS_FILE. */
  readonly mode: number | undefined
}

const strongRsaBits = 3_072

/** Looks at the keys themselves, where they are given: what development makes up is not looked at. */
export async function examineKeys(config: Config): Promise<Finding[]> {
  const { secret, keysFile } = config.jwt
  if ((secret ?? keysFile) === undefined || config.refresh.secret === undefined) return []
  try {
    const material = await loadKeyMaterial(config)
    const mode = keysFile === undefined ? undefined : (await stat(keysFile)).mode & 0o777
    const facts = { config, mode, ...material }
    const keys = keysOf(facts)
    return [
      ...run([fileMode, rsaSize], facts),
      ...run([distinctness], { ...keys, ...passwordsOf(config) }),
      ...guessable(keys)
    ]
  } catch (error) {
    // A sentence of ours that quotes no key.
    return [
      finder('keys').error(
        describeFailure(error).message,
        'Mend JWT_KEYS_FILE: the service does not start with it, and does not reload it.'
      )
    ]
  }
}

const fileMode: Check<KeyFacts> = ({ mode }) => {
  if (mode === undefined || (mode & 0o077) === 0) return undefined
  return finder('JWT_KEYS_FILE').error(
    `The key ring has mode ${mode.toString(8).padStart(4, '0')}: other accounts of this machine can read it.`,
    'Let only the account of the service read it: chmod 600.'
  )
}

const rsaSize: Check<KeyFacts> = ({ keyRing }) => {
  const weak = keyRing.keys.find(({ verifyWith }) => {
    const bits = verifyWith.asymmetricKeyDetails?.modulusLength
    return bits !== undefined && bits < strongRsaBits
  })
  if (weak === undefined) return undefined
  return finder('keys').warning(
    `The key ${weak.kid} has ${weak.verifyWith.asymmetricKeyDetails?.modulusLength} bits.`,
    'Rotate to one of 3072 bits (ASVS 11.2.3), or to EdDSA: keycard keys rotate.'
  )
}

/** What is as long as its maker liked, and is tried without asking anybody. */
function keysOf({ config, refreshSecret, keyRing }: KeyFacts): Secrets {
  const ofRing = config.jwt.keysFile === undefined ? [] : keyRing.keys
  const symmetric = ofRing.filter(({ verifyWith }) => verifyWith.type === 'secret')
  return {
    JWT_SECRET: config.jwt.secret,
    REFRESH_SECRET: refreshSecret,
    METRICS_TOKEN: config.metricsToken,
    ...Object.fromEntries(
      symmetric.map(({ kid, verifyWith }) => [
        `the key ${kid} of JWT_KEYS_FILE`,
        verifyWith.export().toString('utf8')
      ])
    )
  }
}

function passwordsOf(config: Config): Secrets {
  return {
    BOOTSTRAP_ADMIN_PASSWORD: config.bootstrapAdmin?.password,
    'the password in DATABASE_URL': databasePassword(config),
    'the password in REDIS_URL': redisPassword(config)
  }
}

const databasePassword = ({ databaseUrl }: Config): string | undefined =>
  databaseUrl === undefined ? undefined : passwordIn(databaseUrl)

function redisPassword({ redis }: Config): string | undefined {
  if (redis?.kind === 'single') return passwordIn(redis.url)
  return redis?.password
}

function passwordIn(url: string): string | undefined {
  if (!URL.canParse(url)) return undefined
  const { password } = new URL(url)
  try {
    return decodeURIComponent(password)
  } catch {
    return password
  }
}
