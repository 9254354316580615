import { stat } from 'node:fs/promises'
import type { Config } from '../../config.js'
import { loadKeyMaterial, type KeyMaterial } from '../../startup/key-material.js'
import { describeFailure } from '../failure.js'
import { type Check, type Finding, finder, run } from './finding.js'
import { distinctness, type Secrets, strength } from './secrets.js'

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
    return [
      ...run([fileMode, rsaSize], facts),
      ...run([distinctness, ...strength], secretsOf(facts))
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

function secretsOf({ config, refreshSecret }: KeyFacts): Secrets {
  return {
    JWT_SECRET: config.jwt.secret,
    REFRESH_SECRET: refreshSecret,
    METRICS_TOKEN: config.metricsToken,
    BOOTSTRAP_ADMIN_PASSWORD: config.bootstrapAdmin?.password,
    'the password in DATABASE_URL': databasePassword(config)
  }
}

function databasePassword({ databaseUrl }: Config): string | undefined {
  if (databaseUrl === undefined || !URL.canParse(databaseUrl)) return undefined
  const { password } = new URL(databaseUrl)
  try {
    return decodeURIComponent(password)
  } catch {
    return password
  }
}
