import { cp, mkdir, readFile, readdir, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { Lifetime } from '../support/lifetime.js'
import { temporaryFolder } from '../support/temporary-folder.js'

/** The service compiled into a folder of its own. */
export interface Build {
  /** The script to start. */
  readonly server: string
  /** The script of the command. */
  readonly command: string
  /** The URL of a module of src/. */
  readonly source: (name: string) => string
  /** The URL of a module in test/chaos/inside, to be loaded into a node. */
  readonly inside: (name: string) => string
}

const root = fileURLToPath(new URL('../../', import.meta.url))

/** Compiles it once: nodes that are killed have to come back fast, and from source they don't. */
export async function buildService(t: Lifetime): Promise<Build> {
  const folder = await temporaryFolder(t)
  await buildInto(folder)
  return locate(folder)
}

/** Compiles it into an empty folder. */
export async function buildInto(folder: string): Promise<void> {
  for (const name of ['node_modules', 'migrations', 'package.json']) {
    await symlink(join(root, name), join(folder, name))
  }
  await cp(join(root, 'bin'), join(folder, 'bin'), { recursive: true })
  await compile(join(root, 'src'), join(folder, 'dist'))
  await compile(join(root, 'test', 'chaos', 'inside'), join(folder, 'inside'))
}

/** What is where in a folder that it was compiled into. */
export function locate(folder: string): Build {
  const urlOf = (...path: string[]) => pathToFileURL(`${join(folder, ...path)}.js`).href
  return {
    server: join(folder, 'dist', 'server.js'),
    command: join(folder, 'bin', 'keycard.js'),
    source: (name) => urlOf('dist', name),
    inside: (name) => urlOf('inside', name)
  }
}

/** Strips the types of every module in a folder. */
export async function compile(from: string, to: string): Promise<void> {
  // The compiler takes long to load, and most who are here find a build that is there already.
  const { default: ts } = await import('typescript')
  const { options } = ts.convertCompilerOptionsFromJson(
    { target: 'ES2023', module: 'ESNext', verbatimModuleSyntax: true },
    root
  )
  for (const name of await readdir(from, { recursive: true })) {
    if (!name.endsWith('.ts')) continue
    const source = await readFile(join(from, name), 'utf8')
    const { outputText } = ts.transpileModule(source, { compilerOptions: options })
    const file = join(to, name.replace(/\.ts$/, '.js'))
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, outputText)
  }
}
