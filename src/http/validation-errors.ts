import type { FastifySchemaValidationError } from 'fastify'
import type { FieldError } from '../problems.js'

/** How many broken rules one answer names; the caller sees the rest after correcting these. */
const errorLimit = 20
const pathLimit = 120

const typeNames: Record<string, string> = {
  string: 'a string',
  number: 'a number',
  integer: 'a whole number',
  boolean: 'true or false',
  object: 'an object',
  array: 'an array',
  null: 'null'
}

const formatNames: Record<string, string> = {
  email: 'an e-mail address',
  uuid: 'a UUID',
  'date-time': 'a date and time like 2026-01-31T12:00:00Z',
  uri: 'a URI'
}

type Params = Record<string, unknown>
type Describe = (params: Params) => string

const list = (value: unknown): string[] => (Array.isArray(value) ? value : [value]).map(String)
const plural = (count: unknown, noun: string): string =>
  `${String(count)} ${noun}${count === 1 ? '' : 's'}`

/** Everything here comes from the schema. What the caller sent must not come back (RFC 9457 §5). */
const descriptions: Record<string, Describe> = {
  required: () => 'is required',
  additionalProperties: () => 'is not a known field',
  unevaluatedProperties: () => 'is not a known field',
  type: ({ type }) =>
    `must be ${list(type)
      .map((name) => typeNames[name] ?? name)
      .join(' or ')}`,
  format: ({ format }) => `must be ${formatNames[String(format)] ?? `a valid ${String(format)}`}`,
  pattern: () => 'does not have the expected form',
  minLength: ({ limit }) => `must be at least ${plural(limit, 'character')} long`,
  maxLength: ({ limit }) => `must be at most ${plural(limit, 'character')} long`,
  minimum: ({ limit }) => `must be at least ${String(limit)}`,
  maximum: ({ limit }) => `must be at most ${String(limit)}`,
  minItems: ({ limit }) => `must have at least ${plural(limit, 'item')}`,
  maxItems: ({ limit }) => `must have at most ${plural(limit, 'item')}`,
  minProperties: ({ limit }) => `must have at least ${plural(limit, 'field')}`,
  uniqueItems: () => 'must not repeat an item',
  enum: ({ allowedValues }) => `must be one of: ${list(allowedValues).join(', ')}`,
  const: ({ allowedValue }) => `must be ${JSON.stringify(allowedValue)}`
}

/** RFC 6901 §3. */
const escapeSegment = (name: string): string => name.replaceAll('~', '~0').replaceAll('/', '~1')

function pathOf({ keyword, instancePath, params }: FastifySchemaValidationError): string {
  const name =
    keyword === 'required'
      ? params['missingProperty']
      : (params['additionalProperty'] ?? params['unevaluatedProperty'])
  const path = typeof name === 'string' ? `${instancePath}/${escapeSegment(name)}` : instancePath
  return path.slice(0, pathLimit)
}

const isChoice = ({ keyword }: FastifySchemaValidationError): boolean =>
  keyword === 'anyOf' || keyword === 'oneOf'

/**
 * A union reports every branch and then itself. Where all branches are constants that becomes one
 * list of what is allowed; otherwise the union's own error says less than its branches and goes.
 */
function withoutUnionNoise(
  errors: readonly FastifySchemaValidationError[]
): FastifySchemaValidationError[] {
  const constantUnions = errors.filter(
    (error) =>
      isChoice(error) && branchesOf(error, errors).every(({ keyword }) => keyword === 'const')
  )
  const covered = new Set(constantUnions.flatMap((union) => branchesOf(union, errors)))
  return errors.flatMap((error) => {
    if (covered.has(error)) return []
    if (!isChoice(error)) return [error]
    if (!constantUnions.includes(error)) return []
    const allowedValues = branchesOf(error, errors).map(({ params }) => params['allowedValue'])
    return [{ ...error, keyword: 'enum', params: { allowedValues } }]
  })
}

const branchesOf = (
  union: FastifySchemaValidationError,
  errors: readonly FastifySchemaValidationError[]
): FastifySchemaValidationError[] =>
  errors.filter(
    ({ schemaPath, instancePath }) =>
      schemaPath.startsWith(`${union.schemaPath}/`) && instancePath === union.instancePath
  )

/** AJV's findings as JSON pointers and sentences, at most 20 of them, none repeated. */
export function fieldErrors(errors: readonly FastifySchemaValidationError[]): FieldError[] {
  const found = new Map<string, FieldError>()
  for (const error of withoutUnionNoise(errors.slice(0, 10 * errorLimit))) {
    const path = pathOf(error)
    const message = descriptions[error.keyword]?.(error.params) ?? 'is not valid'
    found.set(`${path} ${message}`, { path, message })
    if (found.size === errorLimit) break
  }
  return [...found.values()]
}
