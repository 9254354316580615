import { canonicalEmail } from '../accounts/email.js'
import { findUserByEmail, type User } from '../accounts/store.js'
import { uuidPattern } from '../uuid.js'
import { misuse, refused } from './command-error.js'
import type { Deployment } from './deployment.js'

/** The account with this e-mail address or id. @throws CommandError where there is none */
export async function findAccount({ database, services }: Deployment, name: string): Promise<User> {
  const user = uuidPattern.test(name)
    ? await services.administration.find(name)
    : await database.read((db) => findUserByEmail(db, canonicalEmail(name)))
  if (user === undefined) {
    throw refused(`There is no account ${name}: look for it with keycard users list.`)
  }
  return user
}

/** Checks an argument that must be an id. @throws CommandError */
export function idOf(text: string | undefined, what: string): string {
  const id = text?.toLowerCase() ?? ''
  if (!uuidPattern.test(id)) throw misuse(`${text ?? ''} is not the id of a ${what}.`)
  return id
}
