import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { openDataDir } from './data-dir.js'
import { StartError } from './start-error.js'
import { writeOnce } from './write-once.js'

export interface DevelopmentSecrets {
  jwtSecret: string
  refreshSecret: string
}

// RFC 7518, section 3.2: at least as many bits as the hash has; that is 32 bytes for HS256.
const secretBytes = 48

/**
 * The secrets of an installation that was given none: random, made once, kept in the data directory
 * in a file that only this account may read. For development; production brings its own.
 * @throws {StartError} where the file can't be read, made or understood.
 */
export async function developmentSecrets(dataDir: string): Promise<DevelopmentSecrets> {
  const file = join(await openDataDir(dataDir), 'development-secrets.json')
  const fresh = { jwtSecret: randomSecret(), refreshSecret: randomSecret() }
  return parse(file, await writeOnce(file, () => `${JSON.stringify(fresh, null, 2)}\n`))
}

function randomSecret(): string {
  return randomBytes(secretBytes).toString('base64url')
}

function parse(file: string, text: string): DevelopmentSecrets {
  try {
    const { jwtSecret, refreshSecret } = JSON.parse(text) as Record<string, unknown>
    if (isLongEnough(jwtSecret) && isLongEnough(refreshSecret)) return { jwtSecret, refreshSecret }
  } catch {
    // Told below, without what the file holds.
  }
  throw new StartError(
    `${file} doesn't hold the two secrets that Keycard wrote there. ` +
      'Remove it to have new ones made: everyone will have to log in again.'
  )
}

function isLongEnough(secret: unknown): secret is string {
  return typeof secret === 'string' && Buffer.byteLength(secret) >= secretBytes
}
