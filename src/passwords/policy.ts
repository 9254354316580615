import { foldCase, isCommonPassword } from './common.js'
import { maxPasswordLength, normalisePassword } from './normalise.js'

/** Whose password it is going to be: nobody's e-mail address or name may be their password. */
export interface PasswordOwner {
  readonly email: string
  readonly name: string
}

export type PasswordCheck =
  | { readonly kind: 'ok'; readonly password: string }
  | { readonly kind: 'weak'; readonly reason: string }

/** `weak` comes with a sentence for the user; `ok` with the password in the form that is hashed. */
export type CheckPassword = (password: string, owner: PasswordOwner) => PasswordCheck

/**
 * What a new password must be: long enough, not a common one, not the owner's own data. There are no
 * rules of composition (NIST SP 800-63B-4 §3.1.1.2, OWASP ASVS 5.0 6.2.5).
 *
 * @param minLength in code points after NFC
 */
export function createPasswordPolicy(minLength: number): CheckPassword {
  return function checkPassword(password, owner) {
    const candidate = normalisePassword(password)
    if (candidate.kind === 'unusable') return weak(unusableReasons[candidate.reason])
    if (candidate.length < minLength) return weak(`Use at least ${minLength} characters.`)
    if (isCommonPassword(candidate.password)) {
      return weak('This is one of the passwords that are tried first: choose another one.')
    }
    if (belongsTo(owner, candidate.password)) {
      return weak('Your e-mail address or your name cannot be your password.')
    }
    return { kind: 'ok', password: candidate.password }
  }
}

const unusableReasons = {
  'too-long': `Use at most ${maxPasswordLength} characters.`,
  'forbidden-character': 'The password contains a character that cannot be used.'
}

function weak(reason: string): PasswordCheck {
  return { kind: 'weak', reason }
}

function belongsTo({ email, name }: PasswordOwner, password: string): boolean {
  const localPart = email.slice(0, Math.max(email.lastIndexOf('@'), 0))
  return [email, localPart, name].some((own) => foldCase(own) === foldCase(password))
}
