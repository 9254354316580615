import { randomBytes } from 'node:crypto'
import { ConfigError, loadConfig } from '../../src/config.js'

/** The least that production asks for. */
export const production = {
  NODE_ENV: 'production',
  DATABASE_URL: 'postgres://keycard:pw@db/keycard',
  PUBLIC_URL: 'https://auth.example.org',
  JWT_SECRET: randomBytes(48).toString('base64'),
  REFRESH_SECRET: randomBytes(48).toString('base64')
}

/** The ConfigError that the action throws; anything else is thrown on. */
export function configErrorOf(action: () => unknown): ConfigError {
  try {
    action()
  } catch (error) {
    if (error instanceof ConfigError) return error
    throw error
  }
  throw new Error('no ConfigError was thrown')
}

/** The variables that loadConfig refuses, each with what it says is allowed. */
export function refusals(env: NodeJS.ProcessEnv): Record<string, string> {
  const { problems } = configErrorOf(() => loadConfig(env))
  return Object.fromEntries(problems.map(({ variable, allowed }) => [variable, allowed]))
}
