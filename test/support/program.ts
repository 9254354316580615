import { execFile } from 'node:child_process'
import { access, constants } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'

/** A program that the tests need and that no npm package brings. */
export interface Wanted {
  /** Any of these will do; the first is what `debianPackage` installs. */
  readonly names: readonly [string, ...string[]]
  readonly debianPackage: string
  /** What to tell where there is none: what it is for, and the ways to get it. */
  readonly help: string
}

/**
 * The path of the program. Where it is not on `searchPath`, Debian and Ubuntu get the distribution's
 * package when this runs as root, and stderr is told.
 * @throws with the help
 */
export async function findProgram(
  wanted: Wanted,
  searchPath = process.env['PATH'] ?? ''
): Promise<string> {
  const found = await firstOn(searchPath, wanted.names)
  if (found !== undefined) return found
  if (process.getuid?.() === 0 && (await isExecutable('/usr/bin/apt-get'))) {
    await installPackage(wanted)
  }
  const installed = await firstOn(searchPath, wanted.names)
  if (installed === undefined) throw new Error(wanted.help)
  return installed
}

async function installPackage({ names: [name], debianPackage }: Wanted): Promise<void> {
  process.stderr.write(`No ${name} on PATH: installing the ${debianPackage} package (apt-get)\n`)
  // flock(1) lets one of several test files install while the others wait and then find it there.
  const install =
    'command -v "$1" || { apt-get update && apt-get install -y --no-install-recommends "$2"; }'
  const args = ['/var/cache/apt', 'sh', '-c', install, 'install', name, debianPackage]
  await promisify(execFile)('flock', args, {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  }).catch((error: unknown) => {
    process.stderr.write(`apt-get failed: ${String(error)}\n`)
  })
}

async function firstOn(searchPath: string, names: readonly string[]): Promise<string | undefined> {
  for (const folder of searchPath.split(delimiter)) {
    for (const name of names) {
      const file = join(folder, name)
      if (await isExecutable(file)) return file
    }
  }
  return undefined
}

async function isExecutable(file: string): Promise<boolean> {
  return await access(file, constants.X_OK).then(
    () => true,
    () => false
  )
}
