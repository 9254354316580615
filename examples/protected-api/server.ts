import { readEnvironment } from '../../src/config.js'
import { startService } from '../../src/startup/service.js'
import { startConfig } from '../../src/startup/start-config.js'
import { buildProtectedApi } from './app.js'

/** Keycard on its own port, and beside it the API that it protects. */
const config = await startConfig(readEnvironment(process.env, process.cwd()))
const keycard = await startService(config)
const api = await buildProtectedApi({
  databaseUrl: keycard.databaseUrl,
  redisUrl: config.redisUrl,
  accessTokens: keycard.accessTokens,
  accessTokenTtlSeconds: config.jwt.accessTokenTtlSeconds
})
const url = await api.listen({ host: config.host, port: config.port + 1 })

process.stdout.write(`
  Keycard         ${keycard.url}   (register and log in here)
  Protected API   ${url}   (use the access token here)

`)

async function stop(): Promise<void> {
  await api.close()
  await keycard.close()
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    void stop()
  })
}
