import { createHmac, createSecretKey, randomBytes, timingSafeEqual } from 'node:crypto'

/** What a refresh token says before anything about it is proved. */
export interface PresentedRefreshToken {
  readonly sessionId: string
  readonly counter: number
  readonly mac: Buffer
}

const idBytes = 16
const counterBytes = 4
const macBytes = 32
const tokenBytes = idBytes + counterBytes + macBytes
const tokenLength = Math.ceil((tokenBytes * 8) / 6)
const saltBytes = 16
const purpose = 'keycard refresh token v1'

export const newSalt = () => randomBytes(saltBytes)

export type RefreshTokens = ReturnType<typeof createRefreshTokens>

/**
 * Refresh tokens are `session id ‖ counter ‖ HMAC-SHA256(secret, session id ‖ counter ‖ salt)` in
 * base64url. The salt stays in the session's row, and in the memory of processes that have seen a
 * genuine token of it, where the secret is as well: neither a leaked table nor a leaked secret alone
 * mints one, and nobody can forge an old one to kill a session with (RFC 9700 §4.14.2).
 */
export function createRefreshTokens(secret: string) {
  const key = createSecretKey(Buffer.from(secret, 'utf8'))

  const macOf = (head: Buffer, salt: Buffer) =>
    createHmac('sha256', key).update(purpose).update(head).update(salt).digest()

  return {
    /** The same token every time for the same session and counter. */
    mint(sessionId: string, counter: number, salt: Buffer): string {
      const head = headOf(sessionId, counter)
      return Buffer.concat([head, macOf(head, salt)]).toString('base64url')
    },

    /** Compares in constant time. */
    isGenuine(token: PresentedRefreshToken, salt: Buffer): boolean {
      return timingSafeEqual(token.mac, macOf(headOf(token.sessionId, token.counter), salt))
    }
  }
}

/** Takes a token apart; undefined where it is not of the canonical form. Proves nothing. */
export function parseRefreshToken(token: string): PresentedRefreshToken | undefined {
  if (token.length !== tokenLength) return undefined
  const bytes = Buffer.from(token, 'base64url')
  if (bytes.length !== tokenBytes || bytes.toString('base64url') !== token) return undefined
  const hex = bytes.toString('hex', 0, idBytes)
  return {
    sessionId: hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5'),
    counter: bytes.readUInt32BE(idBytes),
    mac: bytes.subarray(idBytes + counterBytes)
  }
}

function headOf(sessionId: string, counter: number): Buffer {
  const head = Buffer.alloc(idBytes + counterBytes)
  head.write(sessionId.replaceAll('-', ''), 'hex')
  head.writeUInt32BE(counter, idBytes)
  return head
}
