import fc from 'fast-check'
import type { FastifyRequest } from 'fastify'
import t from 'tap'
import { bearerToken } from '../../src/plugins/bearer-token.js'

function read(authorization: string): string | undefined {
  const rawHeaders = ['Authorization', authorization]
  const request = { headers: { authorization }, raw: { rawHeaders } }
  return bearerToken(request as FastifyRequest)
}

t.test('the quick way to a token finds what the definition does', (t) => {
  const part = fc.oneof(
    fc.constantFrom('Bearer', 'bearer', 'BEARER', ' ', '  ', '\t', '\u00a0', 'token', 'a.b.c', ':'),
    // What Node lets through in a header.
    fc.string({
      unit: fc.constantFrom('\t', ' ', '!', ',', 'B', 'e', '\u007e', '\u0080', '\u00ff')
    })
  )
  const header = fc.array(part, { maxLength: 6 }).map((parts) => parts.join(''))
  fc.assert(
    fc.property(header, (text) => {
      return read(text) === /^bearer(?: +|(?=\s))(.+)$/i.exec(text)?.[1]
    }),
    { numRuns: 5_000 }
  )
  t.end()
})
