import { type Config, readEnvironment } from './config.js'
import { stopGracefully } from './startup/graceful-stop.js'
import { reloadKeysOnHangup } from './startup/reload-keys.js'
import { startService } from './startup/service.js'
import { startConfig } from './startup/start-config.js'
import { describeStartFailure } from './startup/start-failure.js'
import { welcome } from './startup/welcome.js'

async function run(config: Config): Promise<void> {
  const { isStopping } = stopGracefully({
    delayMs: config.shutdownDelayMs,
    close: async () => await (await started).close(),
    // With a key ring file, SIGHUP means that the file is to be read again.
    ignored: config.jwt.keysFile === undefined ? [] : ['SIGHUP']
  })
  const started = startService(config, isStopping)
  const { app, url, accessTokens } = await started
  reloadKeysOnHangup(config.jwt, accessTokens, app.log)
  if (config.environment === 'development') {
    process.stdout.write(welcome(config, url, config.databaseUrl === undefined))
  }
}

try {
  await run(await startConfig(readEnvironment(process.env, process.cwd())))
} catch (error) {
  process.stderr.write(`\nKeycard can't start.\n\n${describeStartFailure(error)}\n\n`)
  process.exit(1)
}
