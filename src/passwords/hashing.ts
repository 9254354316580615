import { randomBytes } from 'node:crypto'
import { argon2id, hash, verify } from 'argon2'
import bcrypt from 'bcrypt'
import { argon2DigestBytes } from './stored-hash.js'
import type { Argon2Cost } from './stored-hash.js'

/** The costly functions, each one job on a thread of the libuv pool. */
export interface Hashing {
  /** Makes an argon2id hash in the PHC string format. */
  hash: (password: string) => Promise<string>
  /** Both take an encoding that parseStoredHash has found usable. */
  verifyArgon2: (encoded: string, password: string) => Promise<boolean>
  verifyBcrypt: (encoded: string, password: string) => Promise<boolean>
}

const saltBytes = 16

export function createHashing(cost: Argon2Cost): Hashing {
  return {
    hash: (password) => makeHash(password, cost),
    verifyArgon2: (encoded, password) => verify(encoded, password),
    verifyBcrypt: (encoded, password) => bcrypt.compare(password, encoded)
  }
}

async function makeHash(password: string, cost: Argon2Cost): Promise<string> {
  const salt = randomBytes(saltBytes)
  const digest = await hash(password, {
    type: argon2id,
    memoryCost: cost.memoryKib,
    timeCost: cost.time,
    parallelism: cost.parallelism,
    hashLength: argon2DigestBytes,
    salt,
    raw: true
  })
  return encode(cost, salt, digest)
}

/** A hash of no password, which costs as much to verify as a real one of that cost. */
export function createDummyHash(cost: Argon2Cost): string {
  return encode(cost, randomBytes(saltBytes), randomBytes(argon2DigestBytes))
}

/** The order m, t, p is the one of the reference implementation; the package would write m, p, t. */
function encode(cost: Argon2Cost, salt: Buffer, digest: Buffer): string {
  const { memoryKib, time, parallelism } = cost
  const parameters = `m=${memoryKib},t=${time},p=${parallelism}`
  return `$argon2id$v=19$${parameters}$${unpadded(salt)}$${unpadded(digest)}`
}

function unpadded(bytes: Buffer): string {
  return bytes.toString('base64').replaceAll('=', '')
}
