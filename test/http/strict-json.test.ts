import fc from 'fast-check'
import t from 'tap'
import { readStrictJson } from '../../src/http/strict-json.js'

const read = (text: string) => readStrictJson(Buffer.from(text))

const isHarmless = (text: string): boolean =>
  !/\0|\p{Surrogate}/u.test(text) && text !== '__proto__' && text !== 'constructor'

const words = fc.string({ unit: 'binary' }).filter(isHarmless)
const { value: harmless } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    words,
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('value')),
    fc.dictionary(words, tie('value'))
  )
}))

t.test('what JSON.stringify writes is read back as JSON.parse reads it', async (t) => {
  fc.assert(
    fc.property(harmless, fc.constantFrom(undefined, 1, '\t'), (value, space) => {
      const text = JSON.stringify(value, undefined, space)
      const expected: unknown = JSON.parse(text)
      t.same(read(text), { kind: 'value', value: expected })
    }),
    { numRuns: 50 }
  )
})

t.test('what JSON.parse refuses is refused', async () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const isJson = ((): boolean => {
        try {
          JSON.parse(text)
          return true
        } catch {
          return false
        }
      })()
      return isJson || read(text).kind === 'refused'
    })
  )
})

/** Somewhere inside other values, where a careless reader would not look. */
const somewhere = fc
  .array(
    fc.constantFrom<(inner: string) => string>(
      (inner) => `[${inner}]`,
      (inner) => `[1,"{",${inner},{}]`,
      (inner) => `{"a":${inner}}`,
      (inner) => `{"b":"\\"","c":{"d":[]},"a":${inner},"e":"}"}`
    ),
    { maxLength: 5 }
  )
  .map((wrappers) => (inner: string) => wrappers.reduce((text, wrap) => wrap(text), inner))

t.test('what is dangerous is found at any depth, escaped or not', async () => {
  const dangerous = fc.constantFrom(
    String.raw`"\u0000"`,
    String.raw`"a\ud800b"`,
    String.raw`"\\\u0000"`,
    String.raw`{"\u0000":1}`,
    '{"x":1,"x":2}',
    String.raw`{"x":1,"y":{"x":1},"\u0078":2}`,
    '{"__proto__":1}',
    String.raw`{"_\u005fproto__":1}`,
    '{"constructor":{"prototype":{}}}'
  )
  fc.assert(
    fc.property(somewhere, dangerous, (wrap, inner) => {
      const text = wrap(inner)
      JSON.parse(text)
      return read(text).kind === 'refused'
    })
  )
})

t.test('a long text is read in one pass', async (t) => {
  const long = JSON.stringify({
    text: '\\"'.repeat(200_000),
    list: Array.from({ length: 50_000 }, () => 'x')
  })
  t.equal(read(long).kind, 'value')
})
