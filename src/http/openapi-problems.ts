import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger'
import { problemList } from '../problems.js'

type OpenApi = NonNullable<FastifyDynamicSwaggerOptions['openapi']>
type Components = NonNullable<OpenApi['components']>

const text = { type: 'string' } as const

/** The one shape of every error, and the answer that refers to it. */
export const problemComponents = {
  schemas: {
    Problem: {
      type: 'object',
      required: ['type', 'title', 'status', 'code', 'detail', 'instance'],
      properties: {
        type: { ...text, description: 'Path of the page that explains it' },
        title: text,
        status: { type: 'integer' },
        code: { ...text, enum: problemList.map(({ code }) => code) },
        detail: text,
        instance: { ...text, description: 'Id of the request, also in x-request-id' },
        errors: {
          type: 'array',
          description: 'With VALIDATION_FAILED: the broken rules',
          items: {
            type: 'object',
            required: ['path', 'message'],
            properties: { path: { ...text, description: 'JSON pointer' }, message: text }
          }
        }
      }
    }
  },
  responses: {
    Problem: {
      description: 'Anything that went wrong, as a problem document',
      content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } }
    }
  }
} satisfies Components
