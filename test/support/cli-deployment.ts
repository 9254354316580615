import type { Test } from 'tap'
import { createCli, type Cli } from './cli.js'
import { createDeployment, type Deployment } from './deployment.js'
import { type KeycardOptions, newSecrets } from './keycard.js'

/** A deployment without nodes yet, and the command with the same environment. */
export async function createOperatedDeployment(
  t: Test,
  shared: KeycardOptions = {}
): Promise<Deployment & { readonly cli: Cli; readonly secrets: readonly string[] }> {
  const secrets = newSecrets()
  const deployment = await createDeployment(t, { ...shared, secrets })
  const cli = await createCli(t, {
    DATABASE_URL: deployment.databaseUrl,
    JWT_SECRET: secrets.jwt,
    REFRESH_SECRET: secrets.refresh,
    JWT_ISSUER: 'https://keycard.test',
    ARGON2_MEMORY_KIB: '1024',
    ...(shared.redisUrl === undefined ? {} : { REDIS_URL: shared.redisUrl }),
    ...shared.env
  })
  return { ...deployment, cli, secrets: [secrets.jwt, secrets.refresh] }
}
