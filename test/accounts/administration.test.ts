import t from 'tap'
import { createAdministration } from '../../src/accounts/administration.js'
import { systemClock as clock } from '../../src/clock.js'
import { createHashing } from '../../src/passwords/hashing.js'
import { domainOf } from '../support/domain.js'
import { startKeycard } from '../support/keycard.js'
import { registerAdmin, setUser } from '../support/operators.js'
import { newPerson } from '../support/user-administration.js'

t.test(
  'who is no administrator any more once the password is hashed makes no account',
  async (t) => {
    const keycard = await startKeycard(t)
    const { database, revocation } = keycard.app
    const admin = await registerAdmin(keycard)
    const real = createHashing(keycard.config.passwords.argon2)
    for (const change of [{ disabledAt: new Date() }, { disabledAt: null, roles: ['service'] }]) {
      const hashing = {
        ...real,
        async hash(password: string) {
          await setUser(keycard, admin.id, change)
          return await real.hash(password)
        }
      }
      const { passwords } = domainOf(keycard, { hashing })
      const administration = createAdministration({ database, passwords, revocation, clock })
      const person = newPerson()
      const origin = { actor: { kind: 'user', id: admin.id }, ip: null } as const
      const outcome = await administration.create({ ...person, roles: ['admin'] }, { origin })
      t.same(outcome, { kind: 'not allowed' })
      const found = await administration.search({ search: person.email, limit: 1 })
      t.same(found.users, [])
    }
  }
)
