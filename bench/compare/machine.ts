import { execFile } from 'node:child_process'
import { cpus, release, totalmem } from 'node:os'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { fileURLToPath } from 'node:url'
import { cores } from './cpu.js'
import { pgbenchVersion } from './pgbench.js'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../../', import.meta.url))

/** What a figure depends on besides the code, for the report. */
export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memoryGb: number
  readonly system: string
  readonly versions: Readonly<Record<string, string>>
  /** With `+` where files differ from it; `unknown` outside of a repository. */
  readonly commit: string
}

export async function describeMachine(): Promise<Machine> {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cores(),
    memoryGb: Math.round(totalmem() / 1e9),
    system: `${process.platform} ${release()} ${process.arch}`,
    versions: {
      node: process.version,
      pgbench: (await pgbenchVersion()) ?? 'none',
      ...(await installed(root, ['fastify', 'ioredis', 'postgres', 'argon2'])),
      ...(await installed(`${root}bench/peers/`, [
        'express',
        'jsonwebtoken',
        'redis',
        'better-auth',
        'pg'
      ]))
    },
    commit: await commit()
  }
}

async function installed(
  folder: string,
  names: readonly string[]
): Promise<Record<string, string>> {
  const versions: Record<string, string> = {}
  for (const name of names) {
    const file = `${folder}node_modules/${name}/package.json`
    const text = await readFile(file, 'utf8').catch(() => undefined)
    if (text !== undefined) versions[name] = (JSON.parse(text) as { version: string }).version
  }
  return versions
}

async function commit(): Promise<string> {
  const git = async (...args: string[]) => (await run('git', args, { cwd: root })).stdout.trim()
  try {
    const changed = await git('status', '--porcelain', '--untracked-files=no')
    return `${await git('rev-parse', '--short=12', 'HEAD')}${changed === '' ? '' : '+'}`
  } catch {
    return 'unknown'
  }
}
