import { spawn } from 'node:child_process'
import { once } from 'node:events'
import root, { type Test } from 'tap'
import { killTree } from './process-tree.js'
import { sharedBuild } from './shared-build.js'
import { type End, type ServiceProcess, spawnWatched } from './service-process.js'
import { temporaryFolder } from './temporary-folder.js'

/** What any report of the command may hold: a test says what it expects by reading it. */
export interface CliJson {
  readonly error?: {
    readonly exit: number
    readonly message: string
    readonly revocationId?: string
  }
  readonly receipt?: {
    readonly revocationId: string
    readonly guarantee: string
    readonly nodes: readonly { readonly id: string; readonly how: string }[]
  } | null
  readonly user?: { readonly id: string; readonly email: string; readonly roles: readonly string[] }
  readonly users?: readonly { readonly id: string; readonly email: string }[]
  readonly sessions?: unknown
  readonly hits?: Readonly<Record<string, number>>
  readonly keys?: readonly { readonly kid: string; readonly status: string }[]
  readonly kid?: string
  readonly events?: readonly CliAuditEvent[]
  readonly nodes?: readonly { readonly id: string; readonly mode: string }[]
  readonly findings?: readonly { readonly check: string; readonly severity: string }[]
  readonly accessToken?: string
  readonly incident?: {
    readonly id: string
    readonly status: string
    readonly sessionsRevoked: number
  }
  readonly [more: string]: unknown
}

export interface CliAuditEvent {
  readonly action: string
  readonly actor: { readonly kind: string; readonly id: string | null }
  readonly ip: string | null
  readonly reason: string | null
}

/** How a command ended. `json` is the document on stdout of one that was asked for it, else empty. */
export interface CliEnd extends End {
  readonly json: CliJson
}

export interface Cli {
  /** Runs a command to its end, with nobody at the terminal. */
  readonly run: (args: readonly string[], more?: CliOptions) => Promise<CliEnd>
  /** Runs one whose output goes to a shell command, and prints its exit code last. */
  readonly pipe: (args: readonly string[], reader: string) => Promise<End>
  /** Starts one, to be interrupted. */
  readonly start: (args: readonly string[], more?: CliOptions) => Promise<ServiceProcess>
  /** Runs one on a terminal of its own; each text is typed when its question has been asked. */
  readonly type: (
    args: readonly string[],
    answers: readonly (readonly [question: RegExp, text: string])[],
    more?: CliOptions
  ) => Promise<Pick<End, 'code'> & { readonly screen: string }>
}

export interface CliOptions {
  readonly env?: NodeJS.ProcessEnv
  readonly cwd?: string
  /** What is piped in. */
  readonly input?: string
}

/** The command, built as the image has it, with this environment unless a call says otherwise. */
export async function createCli(t: Test, env: NodeJS.ProcessEnv): Promise<Cli> {
  const { command } = await sharedBuild(root)
  const folder = await temporaryFolder(t)

  function start(args: readonly string[], more: CliOptions = {}): Promise<ServiceProcess> {
    const { cwd = folder, input } = more
    // It listens nowhere; production has no free port.
    const options = { env: { PORT: '3000', ...env, ...more.env }, cwd }
    const line = [process.execPath, command, ...args]
    if (input === undefined) return spawnWatched(t, process.execPath, [command, ...args], options)
    return spawnWatched(t, 'sh', ['-c', 'printf %s "$0" | "$@"', input, ...line], options)
  }

  return {
    start,
    async run(args, more) {
      const end = await (await start(args, more)).ended
      return { ...end, json: args.includes('--json') ? (JSON.parse(end.stdout) as CliJson) : {} }
    },
    async pipe(args, reader) {
      const script = `{ { "$0" "$@"; echo $? >&3; } | ${reader}; } 3>&1`
      const line = [command, ...args]
      const options = { env: { PORT: '3000', ...env }, cwd: folder }
      const run = await spawnWatched(t, 'sh', ['-c', script, process.execPath, ...line], options)
      return await run.ended
    },
    async type(args, answers, more = {}) {
      const line = [process.execPath, command, ...args].map(quote).join(' ')
      const { PATH, HOME } = process.env
      const child = spawn('script', scriptArguments(line), {
        cwd: folder,
        env: { PATH, HOME, TERM: 'xterm', ...env, ...more.env },
        stdio: ['pipe', 'pipe', 'ignore']
      })
      t.teardown(() => child.exitCode === null && child.pid !== undefined && killTree(child.pid))
      const waiting = [...answers]
      let screen = ''
      let unread = ''
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        screen += text
        unread += text
        const [next] = waiting
        if (next === undefined || !next[0].test(unread.replaceAll(cursorMoves, ''))) return
        waiting.shift()
        unread = ''
        child.stdin.write(next[1])
      })
      await once(child, 'close')
      return { code: child.exitCode, screen }
    }
  }
}

// eslint-disable-next-line no-control-regex
const cursorMoves = /\u001b\[[0-9;?]*[A-Za-z]/g

/** script(1) runs a command on a new terminal and ends as it does. */
function scriptArguments(line: string): string[] {
  return process.platform === 'darwin'
    ? ['-q', '/dev/null', 'sh', '-c', line]
    : ['-qec', line, '/dev/null']
}

const quote = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`
