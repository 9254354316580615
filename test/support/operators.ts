import { eq } from 'drizzle-orm'
import { users } from '../../src/database/schema.js'
import type { Client } from './client.js'
import type { Person, TestKeycard } from './keycard.js'
import { logIn, tokensOf } from './session-calls.js'

type UserFields = Partial<typeof users.$inferInsert>

/** Changes an account as SQL does: no version rises and nothing is revoked. */
export async function setUser(keycard: TestKeycard, id: string, values: UserFields): Promise<void> {
  await keycard.app.database.write((db) => db.update(users).set(values).where(eq(users.id, id)))
}

/** Somebody new whose tokens carry these roles. */
export async function registerAs(keycard: TestKeycard, roles: string[]): Promise<Person> {
  const person = await keycard.register()
  await setUser(keycard, person.id, { roles })
  return { ...person, ...tokensOf(await logIn(keycard, person)) }
}

export function registerAdmin(keycard: TestKeycard): Promise<Person> {
  return registerAs(keycard, ['admin'])
}

export interface IssuedClient {
  readonly id: string
  readonly secret: string
  /** As they are sent by HTTP Basic: `id:secret`. */
  readonly credentials: string
}

/** Registers a service over HTTP. */
export async function issueClient(
  client: Client,
  admin: Pick<Person, 'accessToken'>,
  name = 'orders'
): Promise<IssuedClient> {
  const { status, body } = await client.post('/api/admin/clients', {
    token: admin.accessToken,
    body: { name }
  })
  const id = body.client?.id
  const secret = body.clientSecret
  if (!id || !secret) throw new Error(`No client was issued: ${status} ${body.code ?? ''}`)
  return { id, secret, credentials: `${id}:${secret}` }
}
