import t from 'tap'
import { describeError } from '../../src/http/error-description.js'

t.test('an error of our own is described with its message and place', async (t) => {
  const described = describeError(new RangeError('out of bounds', { cause: 'no error' }))
  t.match(described, { type: 'RangeError', message: 'out of bounds', cause: { type: 'string' } })
  t.match(described.stack, /^ {4}at .*error-description\.test/)
  t.notMatch(described.stack, 'out of bounds')
})

t.test('what may quote its input keeps only type, code and place', async (t) => {
  class PostgresError extends Error {
    override name = 'PostgresError'
    code = '23505'
  }
  const quoting = [
    new SyntaxError('secret'),
    new PostgresError('secret'),
    Object.assign(new Error('secret'), { parameters: ['secret'] }),
    Object.assign(new Error('secret'), { command: { args: ['secret'] } })
  ]
  for (const error of quoting) t.notMatch(JSON.stringify(describeError(error)), 'secret')
  t.match(describeError(new PostgresError()), { type: 'PostgresError', code: '23505' })
})

t.test('a message of several lines does not reach the stack', async (t) => {
  const error = new SyntaxError('one\n    secret\n    at secret')
  t.notMatch(describeError(error).stack, 'secret')
})

t.test('causes are followed, but not for ever', async (t) => {
  const error = new Error('around and around')
  error.cause = error
  t.ok(JSON.stringify(describeError(error)).length < 20_000)
})

t.test('an error without a stack is described as well', async (t) => {
  const error = new Error('bare')
  delete error.stack
  t.equal(describeError(error).stack, '')
})
