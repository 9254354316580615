import { randomUUID } from 'node:crypto'
import { asc, eq } from 'drizzle-orm'
import { auditEvents, users } from '../../src/database/schema.js'
import type { Answer, AnsweredUser, Client } from './client.js'
import type { NewPerson, Person, TestKeycard } from './keycard.js'

const path = '/api/admin/users'

/** The admin routes for accounts, as one administrator calls them. */
export function administration(client: Client, admin: Pick<Person, 'accessToken'>) {
  const token = admin.accessToken
  return {
    list: (query: Record<string, string> = {}) =>
      client.get(`${path}?${new URLSearchParams(query).toString()}`, { token }),
    create: (body: unknown) => client.post(path, { token, body }),
    read: (id: string) => client.get(`${path}/${id}`, { token }),
    change: (id: string, body: unknown) => client.patch(`${path}/${id}`, { token, body }),
    remove: (id: string) => client.delete(`${path}/${id}`, { token }),
    sessions: (id: string) => client.get(`${path}/${id}/sessions`, { token })
  }
}

export type UserAdministration = ReturnType<typeof administration>

export function newPerson(fields: Partial<NewPerson> = {}): NewPerson {
  return {
    email: `${randomUUID()}@example.com`,
    password: 'correct horse battery',
    name: 'Grace',
    ...fields
  }
}

/** @throws where the answer brought no user */
export function userOf({ status, body }: Answer): AnsweredUser {
  if (body.user === undefined) throw new Error(`No user came: ${status} ${body.code ?? ''}`)
  return body.user
}

/** An account as the database has it. */
export async function userRow(keycard: TestKeycard, id: string) {
  const [row] = await keycard.app.database.read((db) =>
    db.select().from(users).where(eq(users.id, id))
  )
  return row
}

/** What was audited about an account, oldest first. */
export async function auditOf(keycard: TestKeycard, userId: string) {
  return await keycard.app.database.read((db) =>
    db.select().from(auditEvents).where(eq(auditEvents.userId, userId)).orderBy(asc(auditEvents.id))
  )
}
