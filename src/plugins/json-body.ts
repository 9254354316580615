import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { readStrictJson } from '../http/strict-json.js'
import { problem } from '../problems.js'

/**
 * The only body that is read is strict JSON, without a content encoding. Anything else is 415, forms
 * and text/plain above all: browsers send those across origins without asking first.
 */
async function jsonBody(app: FastifyInstance): Promise<void> {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser<Buffer>(
    'application/json',
    { parseAs: 'buffer' },
    async (_request: unknown, bytes: Buffer) => {
      const reading = readStrictJson(bytes)
      if (reading.kind === 'value') return reading.value
      throw problem('MALFORMED_BODY', { detail: reading.reason, cause: reading.cause })
    }
  )

  app.addHook('preParsing', async (request) => {
    const encoding = request.headers['content-encoding']?.trim().toLowerCase()
    if (encoding !== undefined && encoding !== 'identity') {
      // RFC 9110 §12.5.3: the answer says which encodings would do.
      throw problem('UNSUPPORTED_MEDIA_TYPE', { headers: { 'accept-encoding': 'identity' } })
    }
  })
}

export default fp(jsonBody, { name: 'json-body', fastify: '5.x' })
