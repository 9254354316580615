import { type Config, loadConfig } from '../config.js'
import { freePort } from '../embedded/free-port.js'

/**
 * The configuration of a process that is about to listen. PORT=0 becomes a free port here and not
 * when the listener opens: PUBLIC_URL, and so the issuer of tokens, is made of it.
 *
 * @throws {ConfigError} one for everything that is wrong
 */
export async function startConfig(env: NodeJS.ProcessEnv): Promise<Config> {
  const config = loadConfig(env)
  if (config.port !== 0) return config
  return loadConfig({ ...env, PORT: String(await freePort()) })
}
