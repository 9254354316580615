import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { generateKeyRing } from '../../src/tokens/key-generation.js'
import { parseKeyRing } from '../../src/tokens/key-ring.js'
import { temporaryFolder } from '../../test/support/temporary-folder.js'
import { ownPostgres, type PostgresBackend } from '../compare/backends.js'
import type { Asked } from '../compare/loads.js'
import { accessTokensOf, bearing, nodeEnvironment, seedUsers } from '../compare/seed.js'
import { type ServerProcess, startServer } from '../compare/server-process.js'
import type { Context } from './context.js'

/** A node with nothing but the guard, and requests that it lets pass. */
export interface GuardedNode extends Asked {
  readonly server: ServerProcess
}

const tokensInRotation = 500

/** With those whose tokens are presented: a node that has lost its lease asks for them. */
export async function guardedDatabase({ lifetime }: Context): Promise<PostgresBackend> {
  const postgres = await ownPostgres(lifetime)
  await seedUsers(postgres.sql, tokensInRotation)
  return postgres
}

/** Follows Postgres: the replica is the same one as with Redis, and a million entries are there sooner. */
export async function startGuarded(
  { lifetime, script }: Context,
  postgres: PostgresBackend,
  { algorithm = 'HS256' }: { readonly algorithm?: 'HS256' | 'EdDSA' } = {}
): Promise<GuardedNode> {
  const { JWT_SECRET, ...common } = nodeEnvironment
  const env = { ...common, DATABASE_URL: postgres.url }
  if (algorithm === 'HS256') {
    const server = await startServer(lifetime, {
      script: script('guarded'),
      env: { ...env, JWT_SECRET }
    })
    return { server, url: server.url, requests: bearing(accessTokensOf(tokensInRotation)) }
  }
  const entries = await generateKeyRing(algorithm)
  const file = join(await temporaryFolder(lifetime), 'keys.json')
  await writeFile(file, JSON.stringify(entries), { mode: 0o600 })
  const server = await startServer(lifetime, {
    script: script('guarded'),
    env: { ...env, JWT_ALGORITHM: algorithm, JWT_KEYS_FILE: file }
  })
  const tokens = accessTokensOf(tokensInRotation, { keyRing: parseKeyRing(entries) })
  return { server, url: server.url, requests: bearing(tokens) }
}
