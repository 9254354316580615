import type { FastifyError } from 'fastify'
import { Problem, problem, type ProblemCode } from '../problems.js'
import { fieldErrors } from './validation-errors.js'

/** Fastify's own refusals: its documented codes are the only part of them that is relied on. */
const codesOfFastify: Record<string, ProblemCode> = {
  FST_ERR_NOT_FOUND: 'NOT_FOUND',
  FST_ERR_BAD_URL: 'BAD_REQUEST',
  FST_ERR_MAX_PARAM_LENGTH: 'URI_TOO_LONG',
  FST_ERR_CTP_BODY_TOO_LARGE: 'BODY_TOO_LARGE',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'UNSUPPORTED_MEDIA_TYPE',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'BAD_REQUEST',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'MALFORMED_BODY',
  FST_ERR_CTP_INVALID_JSON_BODY: 'MALFORMED_BODY',
  FST_ERR_ROUTE_MISSING_CONTENT_TYPE: 'UNSUPPORTED_MEDIA_TYPE'
}

/** Refusals of other plugins, which are known by their status alone. */
const codesByStatus: Record<number, ProblemCode> = {
  400: 'BAD_REQUEST',
  403: 'FORBIDDEN',
  404: 'NOT_FOUND',
  405: 'METHOD_NOT_ALLOWED',
  408: 'REQUEST_TIMEOUT',
  413: 'BODY_TOO_LARGE',
  414: 'URI_TOO_LONG',
  415: 'UNSUPPORTED_MEDIA_TYPE',
  417: 'EXPECTATION_FAILED',
  429: 'RATE_LIMITED',
  431: 'HEADERS_TOO_LARGE'
}

const partNames: Record<NonNullable<FastifyError['validationContext']>, string> = {
  body: 'body',
  querystring: 'query string',
  params: 'path',
  headers: 'headers'
}

/** What any thrown value tells the caller. Only a Problem tells something of its own. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error
  if (!(error instanceof Error)) return problem('INTERNAL_ERROR', { cause: error })
  const { validation, validationContext, code, statusCode }: Partial<FastifyError> = error
  if (validation !== undefined) {
    const part = partNames[validationContext ?? 'body']
    return problem('VALIDATION_FAILED', {
      detail: `The ${part} breaks the rules named in errors.`,
      errors: fieldErrors(validation)
    })
  }
  const known =
    (code === undefined ? undefined : codesOfFastify[code]) ??
    (statusCode === undefined ? undefined : codesByStatus[statusCode])
  return problem(known ?? 'INTERNAL_ERROR', { cause: error })
}
