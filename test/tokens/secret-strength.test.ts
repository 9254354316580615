import { generateKeyPairSync, randomBytes, type KeyObject } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import { secretFault } from '../../src/tokens/secret-strength.js'

const pairs = {
  RSA: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  'P-256': generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  Ed25519: generateKeyPairSync('ed25519')
}

const sshKeys = [
  'ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQC7 someone@example',
  'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKHEMzN0n6mdp9l9Gq3m8p7S2rW5f8q1m0',
  'AAAAC3NzaC1lZDI1NTE5AAAAIKHEMzN0n6mdp9l9Gq3m8p7S2rW5f8q1m0aaaaaaaaaa',
  'ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTY'
]

/** A key in every spelling in which one has been found as an HMAC secret. */
function spellings(key: KeyObject): [string, string | Buffer][] {
  const type = key.type === 'private' ? 'pkcs8' : 'spki'
  const pem = key.export({ type, format: 'pem' }).toString()
  const der = key.export({ type, format: 'der' })
  const jwk = JSON.stringify(key.export({ format: 'jwk' }))
  const body = pem.split('\n').slice(1, -2)
  return [
    ['PEM', pem],
    ['PEM without its end', pem.trimEnd()],
    ['PEM on one line', pem.replaceAll('\n', '\\n')],
    ['PEM in lower case', pem.toLowerCase()],
    ['PEM after a byte order mark', `\ufeff${pem}`],
    ['PEM after a comment', `# public key\n${pem}`],
    ['PEM in a JSON string', JSON.stringify(pem)],
    ['PEM in base64', Buffer.from(pem).toString('base64')],
    ['PEM in base64url', Buffer.from(pem).toString('base64url')],
    ['PEM in base64 twice', Buffer.from(Buffer.from(pem).toString('base64')).toString('base64')],
    ['PEM in hex', Buffer.from(pem).toString('hex')],
    ['the body of the PEM', body.join('')],
    ['the body of the PEM in a JSON string', JSON.stringify(body.join(''))],
    ['the body of the PEM in lines', body.join('\n')],
    ['the body of the PEM in base64', Buffer.from(body.join('')).toString('base64')],
    ['DER', der],
    ['DER in a string', der.toString('latin1')],
    ['DER in hex', der.toString('hex')],
    ['DER in base64url', der.toString('base64url')],
    ['JWK', jwk],
    ['JWK in base64', Buffer.from(jwk).toString('base64')],
    ['JWK in a JSON string', JSON.stringify(jwk)],
    ['JWK in an object', `{"a":${jwk}}`],
    ['JWK set', `{"keys":[${jwk}]}`],
    ['list of JWKs', `[${jwk}]`],
    ['half a JWK', jwk.slice(0, -1)],
    ['JWK with escaped quotes', jwk.replaceAll('"', '\\"')]
  ]
}

for (const [name, { publicKey, privateKey }] of Object.entries(pairs)) {
  t.test(`no spelling of an ${name} key will do as a secret`, (t) => {
    for (const key of [publicKey, privateKey]) {
      for (const [spelling, secret] of spellings(key)) {
        t.match(secretFault(secret) ?? 'accepted', /^looks like a key document/, spelling)
      }
    }
    t.end()
  })
}

t.test('other key documents will not do either', (t) => {
  const rsa = pairs.RSA.publicKey.export({ type: 'pkcs1', format: 'pem' }).toString()
  const sec1 = pairs['P-256'].privateKey.export({ type: 'sec1', format: 'der' })
  const documents = [
    rsa,
    rsa.split('\n').slice(1, -2).join(''),
    sec1.toString('base64'),
    '-----BEGIN CERTIFICATE-----\nMIIB',
    '---- BEGIN SSH2 PUBLIC KEY ----\nAAAA',
    '{"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T"}',
    '{"secret":"Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4"}',
    ...sshKeys
  ]
  for (const document of documents) {
    t.match(
      secretFault(document) ?? 'accepted',
      /^looks like a key document/,
      document.slice(0, 20)
    )
  }
  t.end()
})

t.test('a secret has at least 32 bytes, counted decoded', (t) => {
  const short = [
    '',
    'a',
    'correct horse battery staple',
    randomBytes(31).toString('hex'),
    randomBytes(16).toString('hex'),
    randomBytes(31).toString('hex').toUpperCase(),
    // 31 bytes and an equals sign: 44 characters.
    randomBytes(31).toString('base64'),
    randomBytes(31)
  ]
  for (const secret of short)
    t.match(secretFault(secret) ?? 'accepted', /^is shorter than 32 bytes/)
  const long = [randomBytes(32).toString('hex'), randomBytes(32).toString('base64')]
  for (const secret of long) t.equal(secretFault(secret), undefined)
  t.end()
})

t.test('a secret of one character is refused', (t) => {
  for (const secret of ['x'.repeat(40), '0'.repeat(64), ' '.repeat(32), Buffer.alloc(32)]) {
    t.match(secretFault(secret) ?? 'accepted', /^repeats one character/)
  }
  t.end()
})

t.test('placeholders of templates and tutorials are refused', (t) => {
  const placeholders = [
    'secret secret secret secret secret secret',
    'secretsecretsecretsecretsecretsecret',
    'passwordpasswordpasswordpassword',
    'changeme-changeme-changeme-changeme',
    'changeme1234567890changeme1234567890',
    'CHANGE_ME_TO_A_LONG_RANDOM_STRING_PLEASE',
    'please-change-this-secret-in-production!',
    'your-256-bit-secret-your-256-bit-secret',
    'a-string-secret-at-least-256-bits-long',
    'your-secret-key-at-least-32-characters-long',
    'your_jwt_secret_key_change_this_in_production',
    'your-super-secret-jwt-key-here-1234567890',
    'my-super-secret-key-my-super-secret-key',
    'supersecretkeysupersecretkey12345678',
    'replace-this-with-a-random-secret-string',
    'this is a very long and very secure secret key'
  ]
  for (const secret of placeholders) {
    t.match(secretFault(secret) ?? 'accepted', /^is a placeholder/, secret)
  }
  t.end()
})

t.test('every random secret will do, in bytes, hex, base64 and base64url', (t) => {
  const bytes = fc
    .uint8Array({ minLength: 32, maxLength: 96 })
    .map((array) => Buffer.from(array))
    .filter((buffer) => new Set(buffer).size > 8)
  const encodings = fc.constantFrom('hex', 'base64', 'base64url')
  fc.assert(
    fc.property(bytes, encodings, (secret, encoding) => {
      const faults = [secretFault(secret), secretFault(secret.toString(encoding))]
      return faults.every((fault) => fault === undefined)
    }),
    { numRuns: 500 }
  )
  t.end()
})

t.test('a word that happens to stand in a random secret makes it no placeholder', (t) => {
  const secret = Buffer.from(randomBytes(40).map((byte) => byte | 0x80))
  secret.write('my', 16, 'latin1')
  t.equal(secretFault(secret), undefined)
  t.end()
})

t.test('a random secret will do however often it was encoded', (t) => {
  let secret = randomBytes(33).toString('hex')
  for (let times = 0; times < 5; times++) {
    secret = Buffer.from(secret).toString('base64')
    t.equal(secretFault(secret), undefined)
  }
  t.end()
})

t.test('a long passphrase of other words will do', (t) => {
  for (const secret of [
    'correct horse battery staple trombone',
    'Tr0ub4dor&3-Tr0ub4dor&3-Tr0ub4dor&3'
  ]) {
    t.equal(secretFault(secret), undefined)
  }
  t.end()
})
