import { lookup } from 'node:dns/promises'
import { readFile } from 'node:fs/promises'
import { setImmediate } from 'node:timers/promises'
import { argon2d, hash as argon2Hash } from 'argon2'
import fc from 'fast-check'
import t from 'tap'
import { createHashing } from '../../src/passwords/hashing.js'
import { createPasswords, hashConcurrency } from '../../src/passwords/passwords.js'
import type { PasswordsOptions } from '../../src/passwords/passwords.js'
import { HashQueueFull } from '../../src/passwords/queue.js'

const cheap = { memoryKib: 64, time: 1, parallelism: 1 }
const miss = { matches: false, needsRehash: false }
const match = { matches: true, needsRehash: false }
const outdated = { matches: true, needsRehash: true }

function build(options: Partial<PasswordsOptions> = {}) {
  return createPasswords({
    minLength: 8,
    argon2: cheap,
    queueLimit: 1000,
    threadPoolSize: 4,
    waitDeadlineMs: 60_000,
    ...options
  })
}

/** The real hash functions, with a list of the calls they got. */
function countingHashing() {
  const real = createHashing(cheap)
  const calls: { cost: string; password: string }[] = []
  const costOf = (encoded: string) => encoded.split('$').slice(1, 4).join('$')
  return {
    calls,
    hash: real.hash,
    verifyArgon2: (encoded: string, password: string) => {
      calls.push({ cost: costOf(encoded), password })
      return real.verifyArgon2(encoded, password)
    },
    verifyBcrypt: (encoded: string, password: string) => {
      calls.push({ cost: costOf(encoded).slice(0, 5), password })
      return real.verifyBcrypt(encoded, password)
    }
  }
}

t.test('a hash is argon2id with the configured cost and matches its password alone', async (t) => {
  const passwords = build({ argon2: { memoryKib: 128, time: 2, parallelism: 2 } })
  const stored = await passwords.hash('correct horse')
  t.match(stored, /^\$argon2id\$v=19\$m=128,t=2,p=2\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/)
  t.not(await passwords.hash('correct horse'), stored)
  t.same(await passwords.verify('correct horse', stored), match)
  for (const wrong of ['Correct horse', 'correct horse ', 'correct hors', '']) {
    t.same(await passwords.verify(wrong, stored), miss)
  }
})

t.test('how long a hash takes is measured once, beside a queue that is full', async (t) => {
  const real = createHashing(cheap)
  let hashes = 0
  const hash = async (password: string) => {
    hashes += 1
    if (hashes === 1) throw new Error('disturbed')
    return await real.hash(password)
  }
  const passwords = build({ hashing: { ...real, hash }, queueLimit: 0, threadPoolSize: 3 })
  await t.rejects(passwords.measure(), /disturbed/)
  const speed = await passwords.measure()
  t.ok(speed.hashMs > 0)
  t.equal(speed.concurrency, 1)
  const until = hashes
  t.same(await passwords.measure(), speed)
  t.equal(hashes, until)
})

t.test('the policy of new passwords is part of it', async (t) => {
  const passwords = build({ minLength: 12 })
  const owner = { email: 'ann@example.org', name: 'Ann' }
  t.same(passwords.check('eleven char', owner), {
    kind: 'weak',
    reason: 'Use at least 12 characters.'
  })
})

t.test('any password matches its hash, in its composed and its decomposed form', async (t) => {
  const passwords = build()
  const anyPassword = fc
    .oneof(
      fc.string({ unit: 'grapheme', maxLength: 60 }),
      fc.string({ unit: 'binary', maxLength: 60 })
    )
    .filter((password) => !password.includes('\0'))
  await fc.assert(
    fc.asyncProperty(anyPassword, anyPassword, async (password, other) => {
      const stored = await passwords.hash(password)
      t.same(await passwords.verify(password, stored), match)
      t.same(await passwords.verify(password.normalize('NFC'), stored), match)
      t.same(await passwords.verify(password.normalize('NFD'), stored), match)
      const same = password.normalize('NFC') === other.normalize('NFC')
      t.equal((await passwords.verify(other, stored)).matches, same)
    }),
    { numRuns: 60 }
  )
})

t.test('compatibility forms stay different passwords: NFC, not NFKC', async (t) => {
  const passwords = build()
  const stored = await passwords.hash('ﬁrst pass①')
  t.same(await passwords.verify('first pass1', stored), miss)
})

t.test('a password that cannot be hashed is a mistake of the caller', async (t) => {
  const passwords = build()
  const error = new TypeError('Only a checked password can be hashed')
  for (const password of ['a\0b', '\ud83d', 'x'.repeat(257)]) {
    await t.rejects(passwords.hash(password), error)
  }
  t.equal(passwords.load().started, 0)
})

t.test('an unknown account costs the same one verification as a wrong password', async (t) => {
  const hashing = countingHashing()
  const passwords = build({ hashing })
  const stored = await passwords.hash('correct horse')
  t.same(await passwords.verify('wrong', stored), miss)
  t.same(await passwords.verify('wrong', undefined), miss)
  const cost = 'argon2id$v=19$m=64,t=1,p=1'
  t.same(hashing.calls, [
    { cost, password: 'wrong' },
    { cost, password: 'wrong' }
  ])
})

t.test('a password that nobody can have costs the same and never matches', async (t) => {
  const hashing = countingHashing()
  const passwords = build({ hashing })
  // Such hashes could come from an import; verified as bytes they would match.
  const real = createHashing(cheap)
  for (const password of ['', 'a\0b', 'pass\ud83dword', 'é'.repeat(257)]) {
    const stored = await real.hash(password)
    t.equal((await passwords.verify(password, stored)).matches, password === '')
    t.same(await passwords.verify(password, undefined), miss)
  }
  t.same(await passwords.verify('a\0b', await real.hash('')), miss)
  t.equal(hashing.calls.length, 9)
  t.equal(passwords.load().started, 9)
})

t.test('a stored hash of no use costs the same, never matches, and is reported', async (t) => {
  const hashing = countingHashing()
  const passwords = build({ hashing })
  const hostile = [
    ['', 'unknown-algorithm'],
    ['correct horse', 'unknown-algorithm'],
    ['$__proto__$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$c2FsdHNhbHQ', 'unknown-algorithm'],
    ['$argon2id$v=19$m=64', 'malformed'],
    ['$2b$05$tooshort', 'malformed'],
    ['$'.repeat(100_000), 'malformed'],
    [
      '$argon2id$v=19$m=4194304,t=1,p=1$c2FsdHNhbHQ$MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE',
      'out-of-bounds'
    ],
    ['$2b$31$abcdefghijklmnopqrstuuFiPhXf1sVd3pCCRO.uVh34H/qI/ZsuS', 'out-of-bounds']
  ] as const
  for (const [stored, flaw] of hostile) {
    t.same(await passwords.verify('correct horse', stored), { ...miss, flaw }, flaw)
  }
  t.same(new Set(hashing.calls.map((call) => call.cost)), new Set(['argon2id$v=19$m=64,t=1,p=1']))
  t.equal(hashing.calls.length, hostile.length)
})

t.test('bcrypt hashes made elsewhere verify under all three prefixes', async (t) => {
  // Made by the crypt(3) of libxcrypt.
  const vectors = [
    ['correct horse battery staple', '05$abcdefghijklmnopqrstuuFiPhXf1sVd3pCCRO.uVh34H/qI/ZsuS'],
    ['pässwörd 🔑', '06$XXXXXXXXXXXXXXXXXXXXXOqHd7BgHxpufeUJpyELZ5/iWFmVd3MF2'],
    ['U*U*U', '05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a']
  ] as const
  const passwords = build()
  for (const prefix of ['$2a$', '$2b$', '$2y$']) {
    for (const [password, rest] of vectors) {
      t.same(await passwords.verify(password, prefix + rest), outdated, prefix + rest)
      t.same(await passwords.verify(password.normalize('NFD'), prefix + rest), outdated)
      t.same(await passwords.verify(`${password}!`, prefix + rest), miss)
      t.same(await passwords.verify(`${password}\0`, prefix + rest), miss)
    }
  }
})

t.test('bcrypt reads 72 bytes of a password, even where that cuts a character', async (t) => {
  const passwords = build()
  // Made by libxcrypt from 71 times x, é, tail: the first byte of é is the last that counts.
  const stored = '$2y$05$CCCCCCCCCCCCCCCCCCCCC.q/4zTvJODoA6C.saQX9iZqtXQhAU9wq'
  const start = 'x'.repeat(71)
  t.same(await passwords.verify(`${start}étail`, stored), outdated)
  t.same(await passwords.verify(`${start}é`, stored), outdated)
  t.same(await passwords.verify(`${start}à and more`, stored), outdated)
  t.same(await passwords.verify(`${start}etail`, stored), miss)
  t.same(await passwords.verify(start, stored), miss)
  const rehashed = await passwords.hash(`${start}étail`)
  t.same(await passwords.verify(`${start}étail`, rehashed), match)
  t.same(await passwords.verify(`${start}é`, rehashed), miss)
})

t.test('a weaker hash of our own kind matches and asks for a new one', async (t) => {
  const stronger = { memoryKib: 256, time: 2, parallelism: 1 }
  const old = await build().hash('correct horse')
  t.same(await build({ argon2: stronger }).verify('correct horse', old), outdated)
  t.same(await build({ argon2: stronger }).verify('wrong horse', old), miss)
  const strong = await build({ argon2: stronger }).hash('correct horse')
  t.same(await build().verify('correct horse', strong), match)
  const foreign = await argon2Hash('correct horse', {
    type: argon2d,
    memoryCost: 256,
    timeCost: 2,
    parallelism: 1
  })
  t.same(await build({ argon2: stronger }).verify('correct horse', foreign), outdated)
})

t.test('hashing leaves two threads of the pool to others', async (t) => {
  t.equal(hashConcurrency(1), 1)
  t.equal(hashConcurrency(2), 1)
  t.equal(hashConcurrency(3), 1)
  for (const threads of [4, 8, 1024]) t.ok(hashConcurrency(threads) <= threads - 2)
})

t.test('in a storm of logins as many run as may, the rest wait or are refused', async (t) => {
  const passwords = build({ queueLimit: 64 })
  const concurrency = hashConcurrency(4)
  const attempts = Array.from({ length: 100 }, () => passwords.verify('wrong', undefined))
  t.match(passwords.load(), { running: concurrency, waiting: 64 })
  const results = await Promise.allSettled(attempts)
  const refused = results.filter((result) => result.status === 'rejected')
  t.equal(refused.length, 100 - 64 - concurrency)
  t.ok(refused.every((result) => result.reason instanceof HashQueueFull))
  t.same(passwords.load(), { running: 0, waiting: 0, started: 64 + concurrency })
})

t.test('files, names and the event loop are served while hashes wait', async (t) => {
  const passwords = build({ argon2: { memoryKib: 8192, time: 2, parallelism: 1 } })
  const attempts = Array.from({ length: 80 }, () => passwords.verify('wrong', undefined))
  await setImmediate()
  await Promise.all([readFile(import.meta.filename), lookup('localhost')])
  t.ok(passwords.load().waiting > 0, 'hashes are still waiting')
  t.ok((await Promise.all(attempts)).every(({ matches }) => !matches))
})
