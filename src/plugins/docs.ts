import { readFile } from 'node:fs/promises'
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { completeOperations } from '../http/openapi-operations.js'
import { problemComponents } from '../http/openapi-problems.js'

export interface DocsOptions {
  /** Decides only which name the refresh cookie has. */
  publicUrl: string
}

const description = `Access tokens that can be cancelled at once, on every node.

Log in, press **Authorize** and paste the access token. Every error is a problem document (RFC 9457)
whose \`code\` is stable; [/problems](/problems) explains each.`

/** What the page needs; swagger-ui sets style attributes while it draws. */
const pageContentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'"
].join('; ')

/**
 * The OpenAPI document, made of the routes' schemas, at /openapi.json and for people at /docs. Routes
 * refer to the security schemes as `bearer`, `client` and `refreshCookie`. Register it before the routes.
 */
async function docs(app: FastifyInstance, { publicUrl }: DocsOptions): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Keycard', description, version: await packageVersion() },
      // Relative: the page works under whatever name it was opened.
      servers: [{ url: '/' }],
      components: {
        ...problemComponents,
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
          client: { type: 'http', scheme: 'basic' },
          refreshCookie: {
            type: 'apiKey',
            in: 'cookie',
            name: publicUrl.startsWith('https:') ? '__Host-keycard_refresh' : 'keycard_refresh'
          }
        }
      }
    },
    transformObject: (document) => {
      if ('swaggerObject' in document) return document.swaggerObject
      completeOperations(document.openapiObject.paths)
      return document.openapiObject
    }
  })
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: pageContentSecurityPolicy,
    uiConfig: { layout: 'BaseLayout', deepLinking: true, displayRequestDuration: true },
    theme: { title: 'Keycard API' }
  })

  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger())
}

async function packageVersion(): Promise<string> {
  const file = new URL('../../package.json', import.meta.url)
  const manifest: unknown = JSON.parse(await readFile(file, 'utf8'))
  const known = typeof manifest === 'object' && manifest !== null && 'version' in manifest
  return known ? String(manifest.version) : '0.0.0'
}

export default fp(docs, { name: 'docs', fastify: '5.x' })
