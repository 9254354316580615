import type { KeycardGuardOptions } from '../../src/guard/plugin.js'
import { isJwtAlgorithm } from '../../src/tokens/algorithms.js'
import { buildProtectedApi } from './app.js'

function required(name: string): string {
  const value = process.env[name]
  if (value) return value
  process.stderr.write(`Set ${name}; examples/protected-api/README.md says how.\n`)
  process.exit(1)
}

/** The shared secret, or the algorithm whose keys Keycard publishes. */
function readKeys(): KeycardGuardOptions['keys'] {
  const algorithm = process.env['JWT_ALGORITHM'] ?? 'HS256'
  if (!isJwtAlgorithm(algorithm) || algorithm === 'HS256') return { secret: required('JWT_SECRET') }
  return { algorithm }
}

const app = await buildProtectedApi({
  keycard: {
    keycardUrl: process.env['KEYCARD_URL'] ?? 'http://127.0.0.1:3000',
    clientId: required('CLIENT_ID'),
    clientSecret: required('CLIENT_SECRET'),
    redisUrl: required('REDIS_URL'),
    keys: readKeys()
  },
  logger: true
})
await app.listen({ host: '127.0.0.1', port: Number(process.env['PORT'] ?? 3001) })

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    void app.close()
  })
}
