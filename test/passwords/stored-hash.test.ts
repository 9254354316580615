import fc from 'fast-check'
import t from 'tap'
import { createDummyHash, createHashing } from '../../src/passwords/hashing.js'
import { isOutdated, parseStoredHash } from '../../src/passwords/stored-hash.js'

const cost = { memoryKib: 64, time: 1, parallelism: 1 }
const salt = 'c2FsdHNhbHQ'
const digest = 'MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE'
const argon2 = (parameters: string) => `$argon2id$v=19$${parameters}$${salt}$${digest}`
const bcrypt = '$2b$05$abcdefghijklmnopqrstuuFiPhXf1sVd3pCCRO.uVh34H/qI/ZsuS'

t.test('argon2 hashes are read with their type and cost', async (t) => {
  for (const type of ['argon2id', 'argon2i', 'argon2d']) {
    const encoded = `$${type}$v=19$m=19456,t=2,p=1$${salt}$${digest}`
    t.same(parseStoredHash(encoded), {
      kind: 'argon2',
      encoded,
      type,
      memoryKib: 19456,
      time: 2,
      parallelism: 1,
      digestBytes: 32
    })
  }
  for (const parameters of ['m=64,t=3,p=2', 'm=64,p=2,t=3', 'p=2,t=3,m=64']) {
    t.match(parseStoredHash(argon2(parameters)), { memoryKib: 64, time: 3, parallelism: 2 })
  }
})

t.test('bcrypt hashes are read under all three prefixes, as 2b', async (t) => {
  for (const prefix of ['$2a$', '$2b$', '$2y$']) {
    t.same(parseStoredHash(prefix + bcrypt.slice(4)), { kind: 'bcrypt', encoded: bcrypt })
  }
})

t.test('a cost beyond what one login may take is out of bounds', async (t) => {
  const tail = `${salt}$${digest}`
  for (const stored of [
    argon2('m=262145,t=1,p=1'),
    argon2('m=4194304,t=1,p=1'),
    argon2('m=9999999999,t=1,p=1'),
    argon2('m=19456,t=11,p=1'),
    argon2('m=19456,t=2,p=17'),
    argon2('m=31,t=2,p=4'),
    `$argon2id$v=16$m=19456,t=2,p=1$${tail}`,
    `$argon2id$v=20$m=19456,t=2,p=1$${tail}`,
    `$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$${digest}`,
    `$argon2id$v=19$m=19456,t=2,p=1$${'c2Fs'.repeat(22)}$${digest}`,
    `$argon2id$v=19$m=19456,t=2,p=1$${salt}$c2FsdA`,
    `$argon2id$v=19$m=19456,t=2,p=1$${salt}$${'c2Fs'.repeat(22)}`,
    bcrypt.replace('$05$', '$03$'),
    bcrypt.replace('$05$', '$15$'),
    bcrypt.replace('$05$', '$31$')
  ]) {
    t.same(parseStoredHash(stored), { kind: 'unusable', flaw: 'out-of-bounds' }, stored)
  }
  for (const stored of [argon2('m=262144,t=10,p=16'), argon2('m=128,t=1,p=16')]) {
    t.equal(parseStoredHash(stored).kind, 'argon2', stored)
  }
  for (const stored of [bcrypt.replace('$05$', '$04$'), bcrypt.replace('$05$', '$14$')]) {
    t.equal(parseStoredHash(stored).kind, 'bcrypt', stored)
  }
})

t.test('what only resembles a hash is malformed', async (t) => {
  for (const stored of [
    '$argon2id$',
    '$argon2id$v=19$m=64,t=1,p=1',
    `$argon2id$m=64,t=1,p=1$${salt}$${digest}`,
    argon2('m=64,t=1'),
    argon2('m=64,t=1,m=64'),
    argon2('m=64,t=1,p=1,p=1'),
    argon2('m=64,,t=1,p=1'),
    argon2('m=64,t=1=1,p=1'),
    argon2('m=064,t=1,p=1'),
    argon2('m=-64,t=1,p=1'),
    argon2('m=6.4e1,t=1,p=1'),
    argon2('m=64,t=1,p=1,data=c2FsdA'),
    argon2('m=64,t=1,p=1').concat('='),
    argon2('m=64,t=1,p=1').concat('\n'),
    // Two encodings of the same bytes: only the one with zero bits at the end is a hash.
    `$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHR$${digest}`,
    `$argon2id$v=19$m=64,t=1,p=1$${salt}$${digest}AA`,
    argon2(`m=64,t=1,p=1$${'c2Fs'.repeat(200)}`),
    '$2b$05$',
    bcrypt.slice(0, -1),
    `${bcrypt}.`,
    `${bcrypt}\n`,
    bcrypt.replace('$05$', '$5$'),
    bcrypt.replace('$05$', '$-5$'),
    `${bcrypt.slice(0, -1)}T`,
    bcrypt.replace('tuu', 'tuv')
  ]) {
    t.same(parseStoredHash(stored), { kind: 'unusable', flaw: 'malformed' }, stored)
  }
})

t.test('any other algorithm is unknown', async (t) => {
  for (const stored of [
    '',
    'password123',
    '5f4dcc3b5aa765d61d8327deb882cf99',
    '$1$salt$qJH7.N4xYta3aEG/dfqo/0',
    '$6$saltsalt$qFmFH.bQmmtXzyBY0s9v7Oicd2z4XSIecDzlB5KiA2',
    '$scrypt$ln=17,r=8,p=1$c2FsdHNhbHQ$c2FsdHNhbHQ',
    '$argon2$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$c2FsdHNhbHQ',
    '$ARGON2ID$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$c2FsdHNhbHQ',
    '$__proto__$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$c2FsdHNhbHQ',
    bcrypt.replace('$2b$', '$2$'),
    bcrypt.replace('$2b$', '$2x$'),
    bcrypt.replace('$2b$', '$2B$'),
    ` ${bcrypt}`
  ]) {
    t.same(parseStoredHash(stored), { kind: 'unusable', flaw: 'unknown-algorithm' }, stored)
  }
})

t.test('every hash that is read as usable can be verified without an error', async (t) => {
  const { hash, verifyArgon2, verifyBcrypt } = createHashing(cost)
  const seeds = [await hash('a password'), createDummyHash(cost), bcrypt.replace('$05$', '$04$')]
  const mutated = fc
    .tuple(
      fc.constantFrom(...seeds),
      fc.nat({ max: 100 }),
      fc.constantFrom('', '0', '1', 'a', '$', '=', ',', '/', '.', '-', '\0', 'é')
    )
    .map(([seed, at, put]) => seed.slice(0, at) + put + seed.slice(at + 1))
  await fc.assert(
    fc.asyncProperty(mutated, async (stored) => {
      const parsed = parseStoredHash(stored)
      if (parsed.kind === 'argon2') await verifyArgon2(parsed.encoded, 'another password')
      if (parsed.kind === 'bcrypt') await verifyBcrypt(parsed.encoded, 'another password')
    }),
    { numRuns: 300 }
  )
  t.pass('none threw')
})

t.test('a hash is outdated when it is weaker in anything, never when it is stronger', async (t) => {
  const configured = { memoryKib: 19456, time: 2, parallelism: 2 }
  const outdated = (stored: string) => isOutdated(parseStoredHash(stored), configured)
  t.notOk(outdated(argon2('m=19456,t=2,p=2')))
  t.notOk(outdated(argon2('m=65536,t=3,p=4')))
  t.ok(outdated(argon2('m=19455,t=2,p=2')))
  t.ok(outdated(argon2('m=19456,t=1,p=2')))
  t.ok(outdated(argon2('m=65536,t=3,p=1')))
  t.ok(outdated(argon2('m=19456,t=2,p=2').replace('argon2id', 'argon2i')))
  t.ok(outdated(argon2('m=19456,t=2,p=2').replace('argon2id', 'argon2d')))
  t.ok(outdated(argon2('m=19456,t=2,p=2').replace(digest, 'MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz')))
  t.ok(outdated(argon2('m=19456,t=2,p=2').replace(digest, `${'MDEy'.repeat(16)}`)))
  t.ok(outdated(bcrypt.replace('$05$', '$14$')))
})
