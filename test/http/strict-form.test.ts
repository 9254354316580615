import t from 'tap'
import { readStrictForm } from '../../src/http/strict-form.js'

const read = (text: string) => readStrictForm(Buffer.from(text, 'latin1'))

t.test('a form is what it says', async (t) => {
  const forms: [string, Record<string, string>][] = [
    ['', {}],
    ['token=a', { token: 'a' }],
    ['token=a&token_type_hint=b', { token: 'a', token_type_hint: 'b' }],
    ['&token=a&&', { token: 'a' }],
    ['token=a%2Bb+c%20d', { token: 'a+b c d' }],
    ['token=a=b==', { token: 'a=b==' }],
    ['%74oken=a', { token: 'a' }],
    ['token=%C3%A9', { token: 'é' }],
    ['token=\u00c3\u00a9', { token: 'é' }],
    ['Token=a&token=b', { Token: 'a', token: 'b' }]
  ]
  for (const [text, value] of forms) t.same(read(text), { kind: 'value', value }, text)
})

t.test('a parameter without a value is none (RFC 6749 §3.2)', async (t) => {
  for (const text of ['token=', 'token', 'token=&token_type_hint=']) {
    t.same(read(text), { kind: 'value', value: {} }, text)
  }
})

t.test('a parameter is there once, however it is written', async (t) => {
  for (const text of [
    'token=a&token=b',
    'token=a&token=a',
    'token=a&%74oken=b',
    'token=&token=a',
    'token&token=a',
    'x=1&token=a&x=1'
  ]) {
    t.match(read(text), { kind: 'refused', reason: /repeated/ }, text)
  }
})

t.test('what is not text in UTF-8 is refused', async (t) => {
  for (const text of [
    'token=\u00ff',
    'token=\u00c3',
    'token=%ff',
    'token=%C0%AF',
    'token=%ED%A0%80',
    'token=%',
    'token=%4',
    'token=%zz',
    '%=a',
    'token=%00',
    'token=\0'
  ]) {
    t.match(read(text), { kind: 'refused' }, JSON.stringify(text))
  }
})

t.test('a name cannot reach a prototype', async (t) => {
  const reading = read('__proto__=a&constructor=b')
  t.equal(reading.kind, 'value')
  if (reading.kind === 'value') {
    t.same(Object.keys(reading.value), ['__proto__', 'constructor'])
    t.equal(Object.getPrototypeOf(reading.value), Object.prototype)
  }
})
