import { createHash } from 'node:crypto'
import { Type, type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply } from 'fastify'
import { problem, problemList, type ProblemEntry } from '../problems.js'

const style = `body{font:1rem/1.6 system-ui,sans-serif;max-width:40rem;margin:3rem auto;padding:0 1rem}
code{font-size:.95em}td{padding:.2rem 1rem .2rem 0;vertical-align:top}`
const styleHash = createHash('sha256').update(style).digest('base64')

const contentSecurityPolicy = `default-src 'none'; style-src 'sha256-${styleHash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`

const ParamsSchema = Type.Object({ slug: Type.String() }, { additionalProperties: false })

/** The pages behind the `type` of every problem, for whoever looks one up. */
const problemRoutes: FastifyPluginAsyncTypebox = async (app) => {
  app.get('/', { schema: { hide: true } }, async (_request, reply) =>
    sendPage(reply, 'Problems', listOf(problemList))
  )

  app.get('/:slug', { schema: { hide: true, params: ParamsSchema } }, async (request, reply) => {
    const entry = problemList.find(({ slug }) => slug === request.params.slug)
    if (entry === undefined) throw problem('NOT_FOUND')
    return sendPage(reply, entry.title, descriptionOf(entry))
  })
}

const listOf = (entries: readonly ProblemEntry[]): string => {
  const rows = entries.map(
    ({ status, code, slug, title }) =>
      `<tr><td>${status}</td><td><a href="/problems/${slug}"><code>${code}</code></a></td><td>${escape(title)}</td></tr>`
  )
  return `<p>Every error of this service, by the code that it carries.</p><table>${rows.join('\n')}</table>`
}

const descriptionOf = ({ status, code, advice }: ProblemEntry): string =>
  `<p><code>${code}</code>, answered with status ${status}.</p>
<p>${escape(advice)}</p>
<p><a href="/problems">All problems</a> · <a href="/docs">API documentation</a></p>`

function sendPage(reply: FastifyReply, title: string, content: string): FastifyReply {
  const heading = escape(title)
  return reply
    .type('text/html; charset=utf-8')
    .headers({ 'content-security-policy': contentSecurityPolicy, 'cache-control': 'no-cache' })
    .send(`<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${heading} · Keycard</title><style>${style}</style></head>
<body><h1>${heading}</h1>
${content}
</body>
</html>
`)
}

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

const escape = (text: string): string =>
  text.replaceAll(/[&<>"]/gu, (character) => entities[character] ?? character)

export default problemRoutes
