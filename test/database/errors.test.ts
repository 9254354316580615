import { DrizzleQueryError } from 'drizzle-orm'
import postgres from 'postgres'
import t from 'tap'
import {
  DatabaseUnavailable,
  isUniqueViolation,
  QueryFailed,
  translate
} from '../../src/database/errors.js'

t.test('what Postgres says decides why it can not be used', async (t) => {
  const reasons = {
    '57014': 'late',
    '55P03': 'late',
    '25P03': 'late',
    '40P01': 'late',
    '57P01': 'lost',
    '57P03': 'lost',
    '08006': 'lost',
    '53300': 'refused',
    '28P01': 'refused',
    '3D000': 'refused',
    '25006': 'refused'
  }
  for (const [code, reason] of Object.entries(reasons)) {
    t.match(translate(fromDriver(answer(code))), { name: 'DatabaseUnavailable', reason }, code)
  }
})

t.test('any other answer of Postgres is the failure of a statement', async (t) => {
  for (const code of ['23505', '23503', '42P01', '22P02', 'XX000']) {
    t.match(translate(fromDriver(answer(code))), { name: 'QueryFailed', cause: { code } }, code)
  }
})

t.test('what has no answer is a lost connection, or a late one', async (t) => {
  const reasons = {
    ECONNREFUSED: 'lost',
    ECONNRESET: 'lost',
    ENOTFOUND: 'lost',
    CONNECTION_CLOSED: 'lost',
    CERT_HAS_EXPIRED: 'lost',
    CONNECT_TIMEOUT: 'late'
  }
  for (const [code, reason] of Object.entries(reasons)) {
    const cause = Object.assign(new Error('no answer'), { code })
    const failure = translate(fromDriver(cause))
    t.match(failure, { name: 'DatabaseUnavailable', reason, cause: { code } }, code)
  }
})

t.test('a statement that can not be sent is a fault, not an outage', async (t) => {
  const fault = Object.assign(new Error('no'), { code: 'UNDEFINED_VALUE' })
  t.ok(translate(fromDriver(fault)) instanceof QueryFailed)
  t.ok(translate(fromDriver(new TypeError('no string'))) instanceof QueryFailed)
})

t.test('an error that is not the driver’s stays what it is', async (t) => {
  for (const error of [new Error('ours'), new DatabaseUnavailable('busy'), undefined, 'text']) {
    t.equal(translate(error), error)
  }
})

t.test('a unique violation is found however deep it lies', async (t) => {
  const violation = Object.assign(answer('23505'), { constraint_name: 'users_email_unique' })
  t.ok(isUniqueViolation(violation))
  t.ok(isUniqueViolation(fromDriver(violation), 'users_email_unique'))
  t.ok(isUniqueViolation(translate(fromDriver(violation)), 'users_email_unique'))
  t.notOk(isUniqueViolation(fromDriver(violation), 'users_pkey'))
  t.notOk(isUniqueViolation(fromDriver(answer('23503'))))
  t.notOk(isUniqueViolation('23505'))
  t.notOk(isUniqueViolation(undefined))
})

function fromDriver(cause: Error): Error {
  return new DrizzleQueryError('select', ['s3cret'], cause)
}

/** An error as Postgres sends it. */
function answer(code: string): postgres.PostgresError {
  const error = new postgres.PostgresError('what Postgres says')
  return Object.assign(error, { code })
}
