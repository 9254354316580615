import { type ChildProcess, type SpawnOptions, spawn, spawnSync } from 'node:child_process'
import { readFile, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { StartError } from './start-error.js'

export interface Identity {
  uid: number
  gid: number
}

/** How Postgres's programs are run. `identity` is who they run as where that is not this process. */
export interface ServerAccount {
  identity: Identity | undefined
  spawn: (program: string, args: readonly string[], options: SpawnOptions) => ChildProcess
}

type Command = readonly [file: string, ...args: string[]]

/** Asks the kernel for a fast shutdown of Postgres when the thread that started it ends. */
const lifeline = '--pdeathsig=INT'

// Nothing of the caller's surroundings reaches Postgres: PGDATA, PGOPTIONS and locales would change
// it, and the account may not be able to enter the current folder.
const surroundings = {
  cwd: '/',
  env: { LC_ALL: 'C', PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' }
}

/**
 * Who Postgres's programs run as. Postgres refuses to run as root, so as root that is the owner of
 * the data directory, or of the folder that it will be made in, or `nobody` where both are root's; no
 * account is ever made. Undefined where this process is not root: then it is this process's own.
 */
export async function serverIdentity(dataDirectory: string): Promise<Identity | undefined> {
  if (process.getuid?.() !== 0) return undefined
  const owner = (await ownerOf(dataDirectory)) ?? (await ownerOf(dirname(dataDirectory)))
  return owner ?? (await nobody())
}

/**
 * How Postgres's programs are run as `identity`. Where that account can't enter one of `paths` (a
 * checkout under /root, say) they also get the one capability that opens folders to them.
 * @throws {StartError} where such a folder is in the way and `setpriv` can't help.
 */
export async function serverAccount(
  identity: Identity | undefined,
  paths: readonly string[],
  setpriv = 'setpriv'
): Promise<ServerAccount> {
  if (identity === undefined) return direct(setpriv, identity)
  const blocked = await firstUnreachable(paths, identity)
  if (blocked === undefined) return direct(setpriv, identity)
  return withOpenFolders(setpriv, identity, blocked)
}

/** With setpriv where it is there: the server then also ends with a service that is killed. */
function direct(setpriv: string, identity: Identity | undefined): ServerAccount {
  const command = [setpriv, ...become(identity), lifeline, '--'] as const
  if (works(command)) return prefixed(command, identity)
  return {
    identity,
    spawn: (program, args, options) =>
      spawn(program, args, { ...options, ...identity, ...surroundings })
  }
}

/**
 * Of all capabilities only CAP_DAC_OVERRIDE is kept, as an ambient one so that it survives exec.
 * `no_setuid_fixup` makes access(2), with which Postgres looks for its own files, count it as well.
 */
function withOpenFolders(setpriv: string, identity: Identity, blocked: string): ServerAccount {
  const command = [
    setpriv,
    ...become(identity),
    '--inh-caps=-all,+dac_override',
    '--ambient-caps=-all,+dac_override',
    '--bounding-set=-all,+dac_override',
    '--securebits=+no_setuid_fixup',
    lifeline,
    '--'
  ] as const
  if (works(command)) return prefixed(command, identity)
  throw new StartError(
    `Postgres refuses to run as root, and the account it would run as (uid ${identity.uid}) can't enter ${blocked}. ` +
      'Start Keycard as an ordinary user, or set DATABASE_URL to a Postgres of your own, ' +
      `or open that folder (chmod o+x ${blocked}).`
  )
}

function prefixed([file, ...flags]: Command, identity: Identity | undefined): ServerAccount {
  return {
    identity,
    spawn: (program, args, options) =>
      spawn(file, [...flags, program, ...args], { ...options, ...surroundings })
  }
}

function become(identity: Identity | undefined): string[] {
  if (identity === undefined) return []
  return [`--reuid=${identity.uid}`, `--regid=${identity.gid}`, '--clear-groups']
}

function works([file, ...flags]: Command): boolean {
  const trial = spawnSync(file, [...flags, 'true'], { ...surroundings, stdio: 'ignore' })
  return trial.status === 0
}

async function ownerOf(directory: string): Promise<Identity | undefined> {
  const { uid, gid } = await stat(directory).catch(() => ({ uid: 0, gid: 0 }))
  return uid === 0 ? undefined : { uid, gid }
}

async function nobody(): Promise<Identity> {
  const accounts = await readFile('/etc/passwd', 'utf8').catch(() => '')
  const [, uid, gid] = /^nobody:[^:]*:(\d+):(\d+):/m.exec(accounts) ?? []
  return { uid: Number(uid ?? 65534), gid: Number(gid ?? 65534) }
}

/** The outermost folder on the way to one of `paths` that `identity` can't enter. */
async function firstUnreachable(
  paths: readonly string[],
  identity: Identity
): Promise<string | undefined> {
  for (const path of paths.flatMap(lineage)) {
    if (!(await canEnter(path, identity))) return path
  }
  return undefined
}

function lineage(path: string): string[] {
  const parent = dirname(path)
  return parent === path ? [path] : [...lineage(parent), path]
}

async function canEnter(folder: string, { uid, gid }: Identity): Promise<boolean> {
  const facts = await stat(folder)
  if (facts.uid === uid) return (facts.mode & 0o100) !== 0
  if (facts.gid === gid) return (facts.mode & 0o010) !== 0
  return (facts.mode & 0o001) !== 0
}
