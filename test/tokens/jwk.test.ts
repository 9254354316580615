import { createPublicKey, createSecretKey, type JsonWebKey } from 'node:crypto'
import t from 'tap'
import { thumbprint } from '../../src/tokens/jwk.js'
import { newPrivateKey } from '../support/key-rings.js'

t.test('thumbprints are those of RFC 7638 §3.1 and RFC 8037 appendix A.3', (t) => {
  const rsa = {
    kty: 'RSA',
    n: '0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw',
    e: 'AQAB'
  }
  const okp = { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' }
  const print = (key: JsonWebKey) => thumbprint(createPublicKey({ key, format: 'jwk' }))
  t.equal(print(rsa), 'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs')
  t.equal(print(okp), 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k')
  t.end()
})

t.test('a private key has the thumbprint of its public half, and secrets differ', (t) => {
  for (const algorithm of ['EdDSA', 'ES256', 'RS256'] as const) {
    const key = newPrivateKey(algorithm)
    t.equal(thumbprint(key), thumbprint(createPublicKey(key)))
  }
  const [one, two] = ['one', 'two'].map((text) => thumbprint(createSecretKey(Buffer.from(text))))
  t.not(one, two)
  t.end()
})
