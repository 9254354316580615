import { dictionary } from '@zxcvbn-ts/language-common'
import fc from 'fast-check'
import t from 'tap'
import { createPasswordPolicy } from '../../src/passwords/policy.js'

const owner = { email: 'Ann.Lee@example.org', name: 'Ann Marie Lee' }
const check = createPasswordPolicy(8)
const tooCommon = 'This is one of the passwords that are tried first: choose another one.'
const tooLong = 'Use at most 256 characters.'
const tooShort = 'Use at least 8 characters.'
const ownData = 'Your e-mail address or your name cannot be your password.'
const forbidden = 'The password contains a character that cannot be used.'

t.test('a password nobody else has is accepted as it is', async (t) => {
  for (const password of ['  Zwölf Boxkämpfer ', 'tr0ub4dor&3-and-more', '🔑🗝️🚪🏠🌳🐦🪺☀️']) {
    t.same(check(password, owner), { kind: 'ok', password: password.normalize('NFC') })
  }
})

t.test('length counts code points after NFC', async (t) => {
  t.same(check('🔑'.repeat(7), owner), { kind: 'weak', reason: tooShort })
  t.equal(check('🔑'.repeat(8), owner).kind, 'ok')
  t.same(check('e\u0301'.repeat(7), owner), { kind: 'weak', reason: tooShort })
  t.same(check('e\u0301'.repeat(8), owner), { kind: 'ok', password: 'é'.repeat(8) })
  t.equal(check('🔑'.repeat(256), owner).kind, 'ok')
  t.same(check('🔑'.repeat(257), owner), { kind: 'weak', reason: tooLong })
  t.equal(check('e\u0301'.repeat(256), owner).kind, 'ok')
  t.same(createPasswordPolicy(15)('fourteen chars', owner), {
    kind: 'weak',
    reason: 'Use at least 15 characters.'
  })
})

t.test('NUL and lone surrogates are refused', async (t) => {
  for (const character of ['\0', '\ud83d', '\udd11', '\udd11\ud83d']) {
    t.same(check(`correct ${character} horse`, owner), { kind: 'weak', reason: forbidden })
  }
})

t.test('common passwords are refused in any case', async (t) => {
  for (const password of [
    'password123',
    'PASSWORD123',
    'pAssWord',
    'İLoveYou',
    'paſſword',
    '1q2w3e4r'
  ]) {
    t.same(check(password, owner), { kind: 'weak', reason: tooCommon }, password)
  }
  // U+212A, the Kelvin sign, is a K to everybody but the byte comparison.
  t.same(check('\u212aathleen', owner), { kind: 'weak', reason: tooCommon })
})

t.test('every entry of the list is refused, however it is capitalised', async (t) => {
  const long = dictionary['passwords-common'].filter((password) => password.length >= 8)
  t.ok(long.length > 10_000)
  const accepted = long.filter((password) => check(password.toUpperCase(), owner).kind === 'ok')
  t.same(accepted, [])
})

t.test("the owner's own e-mail address, its local part and the name are refused", async (t) => {
  for (const password of ['ann.lee@EXAMPLE.org', 'ANN.LEE@example.org', 'ann marie lee']) {
    t.same(check(password, owner), { kind: 'weak', reason: ownData }, password)
  }
  const josé = { email: 'rodriguez.j@example.org', name: 'José Rodríguez' }
  t.same(check('RODRIGUEZ.J', josé), { kind: 'weak', reason: ownData })
  t.same(check('JOSÉ RODRÍGUEZ'.normalize('NFD'), josé), { kind: 'weak', reason: ownData })
  t.equal(check('not an address', { email: 'somebody', name: 'Ann' }).kind, 'ok')
})

t.test('whatever is typed gets an answer, and an accepted one is normalised', async (t) => {
  const anything = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 300 }),
    fc.string({ unit: 'grapheme', maxLength: 300 }),
    fc
      .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 40 })
      .map((units) => String.fromCharCode(...units))
  )
  fc.assert(
    fc.property(anything, (password) => {
      const result = check(password, owner)
      if (result.kind === 'weak') return result.reason.length > 0
      const length = Array.from(result.password).length
      return result.password === password.normalize('NFC') && length >= 8 && length <= 256
    })
  )
  t.pass('held')
})
