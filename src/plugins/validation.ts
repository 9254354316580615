import { Ajv, type Options } from 'ajv'
import formats from 'ajv-formats'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { fieldErrors } from '../http/validation-errors.js'
import { problem } from '../problems.js'

const options: Options = {
  removeAdditional: false,
  useDefaults: true,
  // Bounded by the body limit, and fieldErrors() reads no more than it can use.
  allErrors: true,
  allowUnionTypes: true
}

/** For routes that name no query or no body: what is not documented is refused there as well. */
const noQuery = { type: 'object', properties: {}, additionalProperties: false }
const noBody = { type: ['object', 'null'], properties: {}, additionalProperties: false }

/**
 * Checks requests against their schemas without changing what was sent: nothing is coerced, nothing
 * is dropped. Only in URLs and headers, where everything is text, "20" may become 20.
 */
async function validation(app: FastifyInstance): Promise<void> {
  const exact = new Ajv({ ...options, coerceTypes: false })
  const fromText = new Ajv({ ...options, coerceTypes: true })
  formats.default(exact)
  formats.default(fromText)

  app.addHook('onRoute', ({ schema }) => {
    if (schema !== undefined && schema.hide !== true) schema.querystring ??= noQuery
  })

  // Not made part of the schema, where the OpenAPI document would ask for a body.
  const isEmpty = exact.compile(noBody)
  app.addHook('preValidation', async ({ body = null, routeOptions: { schema } }) => {
    if (schema === undefined || schema.hide === true || schema.body !== undefined) return
    if (isEmpty(body)) return
    throw problem('VALIDATION_FAILED', {
      detail: 'No body is documented here.',
      errors: fieldErrors(isEmpty.errors ?? [])
    })
  })

  app.setValidatorCompiler<object>(({ schema, httpPart }) =>
    (httpPart === 'body' ? exact : fromText).compile(schema)
  )
}

export default fp(validation, { name: 'validation', fastify: '5.x' })
