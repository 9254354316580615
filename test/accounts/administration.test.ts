import { eq } from 'drizzle-orm'
import t from 'tap'
import { createAdministration } from '../../src/accounts/administration.js'
import { systemClock } from '../../src/clock.js'
import { users } from '../../src/database/schema.js'
import { createHashing } from '../../src/passwords/hashing.js'
import { domainOf } from '../support/domain.js'
import { startKeycard } from '../support/keycard.js'
import { registerAdmin } from '../support/operators.js'
import { nobody } from '../support/origin.js'
import { administration, newPerson } from '../support/user-administration.js'

t.test('who is disabled while a password is hashed opens no account', async (t) => {
  const keycard = await startKeycard(t)
  const operators = administration(keycard, await registerAdmin(keycard))
  const { database, revocation } = keycard.app
  let meanwhile = async (): Promise<unknown> => undefined
  const real = createHashing(keycard.config.passwords.argon2)
  const hashing = {
    ...real,
    hash: async (password: string) => {
      await meanwhile()
      return await real.hash(password)
    }
  }
  const { passwords } = domainOf(keycard, { hashing })
  const direct = createAdministration({ database, passwords, revocation, clock: systemClock })

  async function createdBy(id: string): Promise<{ kind: string; rows: number }> {
    const person = newPerson()
    const origin = { actor: { kind: 'user', id }, ip: null } as const
    const { kind } = await direct.create({ ...person, roles: ['admin'] }, { origin })
    const rows = await database.read((db) => db.$count(users, eq(users.email, person.email)))
    return { kind, rows }
  }

  for (const changes of [{ disabled: true }, { roles: ['user'] }]) {
    const { id } = await registerAdmin(keycard)
    t.same(await createdBy(id), { kind: 'created', rows: 1 })
    meanwhile = () => operators.change(id, changes)
    t.same(await createdBy(id), { kind: 'not allowed', rows: 0 })
    meanwhile = async () => undefined
  }
  const { id: gone } = await registerAdmin(keycard)
  meanwhile = () => operators.remove(gone)
  t.same(await createdBy(gone), { kind: 'not allowed', rows: 0 })

  meanwhile = async () => undefined
  const outcome = await direct.create({ ...newPerson(), roles: [] }, { origin: nobody })
  t.equal(outcome.kind, 'created', 'from a terminal')
})
