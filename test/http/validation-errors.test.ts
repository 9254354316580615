import { Ajv } from 'ajv'
import t from 'tap'
import { fieldErrors } from '../../src/http/validation-errors.js'

const ajv = new Ajv({ allErrors: true, allowUnionTypes: true, validateFormats: false })

const messagesOf = (schema: object, value: unknown): string[] => {
  const validate = ajv.compile(schema)
  validate(value)
  return fieldErrors(validate.errors ?? []).map(({ path, message }) => `${path} ${message}`.trim())
}

t.test('each rule of a schema has words of its own', async (t) => {
  const cases: [object, unknown, string][] = [
    [{ type: ['string', 'null'] }, 1, 'must be a string or null'],
    [{ type: 'boolean' }, 1, 'must be true or false'],
    [{ type: 'number' }, '1', 'must be a number'],
    [{ type: 'object', minProperties: 1 }, {}, 'must have at least 1 field'],
    [{ type: 'array', minItems: 2 }, [], 'must have at least 2 items'],
    [{ type: 'string', minLength: 1 }, '', 'must be at least 1 character long'],
    [{ type: 'string', pattern: '^a$' }, 'b', 'does not have the expected form'],
    [{ enum: ['a', 'b'] }, 'c', 'must be one of: a, b'],
    [{ const: 'everyone' }, 'c', 'must be "everyone"'],
    [{ not: { type: 'string' } }, 'c', 'is not valid']
  ]
  for (const [schema, value, message] of cases) t.same(messagesOf(schema, value), [message])
})

t.test('formats are named in words where there are some', async (t) => {
  const messageOf = (format: string) =>
    fieldErrors([
      { keyword: 'format', instancePath: '/x', schemaPath: '#/format', params: { format } }
    ]).map(({ message }) => message)
  t.same(messageOf('email'), ['must be an e-mail address'])
  t.same(messageOf('ipv4'), ['must be a valid ipv4'])
})

t.test(
  'a union of constants is one list, any other union names what its branches want',
  async (t) => {
    const constants = { anyOf: [{ const: 'a' }, { const: 'b' }] }
    t.same(messagesOf({ type: 'object', properties: { x: constants } }, { x: 'c' }), [
      '/x must be one of: a, b'
    ])
    const kinds = {
      anyOf: [
        { type: 'object', required: ['jti'], properties: { kind: { const: 'token' } } },
        { type: 'object', required: ['id'], properties: { kind: { const: 'user' } } }
      ]
    }
    t.same(messagesOf(kinds, { kind: 'token' }), [
      '/jti is required',
      '/id is required',
      '/kind must be "user"'
    ])
    t.same(messagesOf({ oneOf: [{ type: 'string' }, { const: 1 }] }, 2), [
      'must be a string',
      'must be 1'
    ])
  }
)

t.test('what is said twice is said once', async (t) => {
  const schema = { allOf: [{ required: ['a'] }, { required: ['a'] }], type: 'object' }
  t.same(messagesOf(schema, {}), ['/a is required'])
})
