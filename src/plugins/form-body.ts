import type { FastifyInstance, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { readStrictForm } from '../http/strict-form.js'
import { problem } from '../problems.js'

const formType = 'application/x-www-form-urlencoded'
const charset = /;\s*charset\s*=\s*"?([^\s";]+)/i

/** For the scope that registers it: the only body that is read is a form in UTF-8. */
async function formBody(app: FastifyInstance): Promise<void> {
  const refusal = () =>
    problem('UNSUPPORTED_MEDIA_TYPE', { detail: `Send the body as ${formType}, in UTF-8.` })

  app.removeAllContentTypeParsers()
  app.addContentTypeParser<Buffer>(
    formType,
    { parseAs: 'buffer' },
    async (request: FastifyRequest, bytes: Buffer) => {
      const declared = charset.exec(request.headers['content-type'] ?? '')?.[1] ?? 'utf-8'
      if (declared.toLowerCase() !== 'utf-8') throw refusal()
      const reading = readStrictForm(bytes)
      if (reading.kind === 'value') return reading.value
      throw problem('BAD_REQUEST', { detail: reading.reason })
    }
  )
  app.addContentTypeParser('*', async () => {
    throw refusal()
  })
}

export default fp(formBody, { name: 'form-body', fastify: '5.x' })
