import fc from 'fast-check'
import t from 'tap'
import { parseStrictJsonObject } from '../../src/tokens/strict-json.js'

function faultOf(text: string): string {
  const parsed = parseStrictJsonObject(text)
  return parsed.kind === 'fault' ? parsed.fault : 'none'
}

const name = fc
  .string({ unit: 'binary', maxLength: 8 })
  .filter((text) => !['__proto__', 'constructor', 'prototype'].includes(text))
const values = fc.letrec((tie) => ({
  leaf: fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('":"', '{"a":1,"a":2}', '\\', '\\"', '1.5', '-1', '1e9', 'true'),
    fc.nat(),
    fc.boolean(),
    fc.constant(null)
  ),
  value: fc.oneof({ depthSize: 'small' }, tie('leaf'), tie('array'), tie('object')),
  array: fc.array(tie('value'), { maxLength: 4 }),
  object: fc.dictionary(name, tie('value'), { maxKeys: 5 })
}))

t.test('an object without duplicates and odd numbers is read as JSON.parse reads it', (t) => {
  fc.assert(
    fc.property(values.object, fc.constantFrom(0, 2), (value, indentation) => {
      const text = JSON.stringify(value, null, indentation)
      t.strictSame(parseStrictJsonObject(text), {
        kind: 'object',
        value: JSON.parse(text) as unknown
      })
    }),
    { numRuns: 300 }
  )
  t.end()
})

t.test('a duplicate is found at every depth, in plain or in escapes', (t) => {
  const around = fc.array(fc.boolean(), { maxLength: 10 })
  fc.assert(
    fc.property(
      name,
      values.value,
      values.value,
      fc.boolean(),
      around,
      (key, one, two, escaped, path) => {
        const again = escaped ? inEscapes(key) : JSON.stringify(key)
        const twice = `{${JSON.stringify(key)}:${JSON.stringify(one)},${again}:${JSON.stringify(two)}}`
        const wrap = (inner: string, inArray: boolean) =>
          inArray ? `[0,${inner}]` : `{"in":${inner}}`
        return faultOf(`{"outer":${path.reduce(wrap, twice)}}`) === 'duplicate-member'
      }
    ),
    { numRuns: 500 }
  )
  t.end()
})

function inEscapes(text: string): string {
  const units = Array.from({ length: text.length }, (_, index) => text.charCodeAt(index))
  return `"${units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('')}"`
}

t.test('duplicates are told from what only looks like them', (t) => {
  const duplicates = [
    '{"a":1,"a":1}',
    '{"a":1,"b":2,"a":3}',
    '{"alg":"HS256","\\u0061lg":"none"}',
    '{"\\u0061":1,"\\u0061":2}',
    '{"":0,"":0}',
    '{"a":{"b":1,"b":1}}',
    '{"a":[[{"b":1,"b":1}]]}',
    '{"a":{"x":1},"a":{"x":1}}',
    '{"a":{"x":1,"y":2},"a":3,"b":{"z":1}}',
    '{"\\n":1,"\\u000a":2}',
    '{"é":1,"\\u00e9":2}',
    '{"1":1,"1":2}',
    '{ "a" : 1 , "a" : 2 }'
  ]
  for (const text of duplicates) t.equal(faultOf(text), 'duplicate-member', text)
  const fine = [
    '{}',
    '{"a":1,"A":2}',
    '{"a":{"a":{"a":1}}}',
    '{"a":"\\"a\\":1,\\"a\\":2"}',
    '{"a":"\\\\","b":":"}',
    '{"e\\u0301":1,"\\u00e9":2}',
    '{"a":[{"a":1},{"a":1}]}',
    '{"2":1,"1":2}',
    '{"hasOwnProperty":1,"toString":2}'
  ]
  for (const text of fine) t.equal(faultOf(text), 'none', text)
  t.end()
})

t.test('numbers must be whole and plain, in strings they may be anything', (t) => {
  const odd = [
    '-1',
    '-0',
    '1.0',
    '0.5',
    '1e3',
    '1E3',
    '1e-3',
    '1e999',
    '[1,2.5]',
    '{"b":[true,1e1]}'
  ]
  for (const text of odd) t.equal(faultOf(`{"a":${text}}`), 'odd-number', text)
  const plain = [
    '0',
    '10',
    '99999999999999999999',
    'true',
    'false',
    'null',
    '"-1.5e3"',
    '["1.0",true]'
  ]
  for (const text of plain) t.equal(faultOf(`{"a":${text}}`), 'none', text)
  t.end()
})

t.test('names that reach a prototype are refused at every depth', (t) => {
  for (const key of ['__proto__', 'constructor', 'prototype', '\\u005f\\u005fproto__']) {
    t.equal(faultOf(`{"${key}":1}`), 'reserved-member')
    t.equal(faultOf(`{"a":[[{"b":{"${key}":{}}}]]}`), 'reserved-member')
    t.equal(faultOf(`{"a":"${key}"}`), 'none', 'as a value it is harmless')
  }
  t.end()
})

t.test('only one JSON object is an object', (t) => {
  const others = [
    '',
    ' ',
    'null',
    'true',
    '1',
    '"{}"',
    '[]',
    '[{}]',
    '{}{}',
    '{},',
    '{a:1}',
    '\ufeff{}'
  ]
  for (const text of others) t.equal(faultOf(text), 'not-a-json-object', text)
  t.end()
})

t.test('nesting as deep as a token can hold is no trouble', (t) => {
  const depth = 5000
  t.equal(faultOf(`{"a":${'['.repeat(depth)}${']'.repeat(depth)}}`), 'none')
  t.equal(faultOf(`{"a":${'['.repeat(depth)}`), 'not-a-json-object')
  t.equal(faultOf('{"a":'.repeat(depth) + '1' + '}'.repeat(depth)), 'none')
  t.end()
})
