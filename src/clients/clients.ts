import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { uuidv7 } from 'uuidv7'
import { type AuditEvent, recordAudit } from '../audit/events.js'
import type { Origin } from '../audit/origin.js'
import type { Clock } from '../clock.js'
import type { Database } from '../database/connection.js'
import { uuidPattern } from '../uuid.js'
import {
  existsClient,
  findClient,
  insertClient,
  listClients,
  markClientRevoked,
  type ServiceClient
} from './store.js'

/** By it people and secret scanners know what they have found. */
const secretPrefix = 'kc_'
const secretBytes = 32

/** Stands in for the hash of a client that does not exist. No secret has it. */
const noHash = Buffer.alloc(32)
const noId = '00000000-0000-0000-0000-000000000000'

export type Clients = ReturnType<typeof createClients>

/** Registers the services that may introspect and revoke tokens. All of it throws DatabaseUnavailable. */
export function createClients({ database, clock }: { database: Database; clock: Clock }) {
  return {
    /** Registers a service. The secret is shown this once: only its hash is kept. */
    async issue(
      name: string,
      origin: Origin
    ): Promise<{ readonly client: ServiceClient; readonly secret: string }> {
      const secret = `${secretPrefix}${randomBytes(secretBytes).toString('base64url')}`
      const createdAt = new Date(clock())
      const createdBy = origin.actor.kind === 'user' ? origin.actor.id : null
      const client = { id: uuidv7(), name, createdAt, createdBy, revokedAt: null }
      const event = clientEvent('client.registered', client.id, origin)
      const row = { ...client, secretHash: hashOf(secret) }
      await database.write((db) => insertClient(db, row, event))
      return { client, secret }
    },

    /** Every client there ever was, newest first, the revoked ones included. */
    async list(): Promise<ServiceClient[]> {
      return await database.read(listClients)
    },

    /** From the answer on the client is refused, on every node. @returns false where there is none */
    async revoke(id: string, origin: Origin): Promise<boolean> {
      if (!uuidPattern.test(id)) return false
      const now = new Date(clock())
      return await database.transaction(async (tx) => {
        if (!(await markClientRevoked(tx, id, now))) return await existsClient(tx, id)
        await recordAudit(tx, clientEvent('client.revoked', id, origin), now)
        return true
      })
    },

    /**
     * The client with this id and secret; undefined for any other pair, at the same cost. Postgres
     * is asked every time, so that a revoked client is out at once.
     */
    async authenticate(id: string, secret: string): Promise<ServiceClient | undefined> {
      const known = uuidPattern.test(id) ? id : noId
      const found = await database.read((db) => findClient(db, known))
      const isGenuine = timingSafeEqual(hashOf(secret), found?.secretHash ?? noHash)
      return isGenuine && found?.client.revokedAt === null ? found.client : undefined
    }
  }
}

/** The secret has the entropy of a key, so that a slow hash would add nothing. */
function hashOf(secret: string): Buffer {
  return createHash('sha256').update(secret).digest()
}

function clientEvent(action: AuditEvent['action'], id: string, origin: Origin): AuditEvent {
  const subject = { kind: 'client', id }
  return { action, outcome: 'success', origin, subject, userId: null, reason: null }
}
