import { symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Lifetime } from '../../test/support/lifetime.js'
import { temporaryFolder } from '../../test/support/temporary-folder.js'
import { compile } from '../../test/chaos/build.js'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** The path of a compiled script of bench/servers. */
export type ServerScript = (name: 'bare' | 'guarded' | 'service' | 'argon2') => string

/**
 * Compiles the servers and what they use of src/, as for production: what runs the tests adds a call
 * to every function that is made, which a figure per request would show.
 */
export async function buildServers(lifetime: Lifetime): Promise<ServerScript> {
  const folder = await temporaryFolder(lifetime)
  for (const name of ['node_modules', 'migrations', 'package.json']) {
    await symlink(join(root, name), join(folder, name))
  }
  await compile(join(root, 'src'), join(folder, 'src'))
  await compile(join(root, 'bench', 'servers'), join(folder, 'bench', 'servers'))
  return (name) => join(folder, 'bench', 'servers', `${name}.js`)
}
