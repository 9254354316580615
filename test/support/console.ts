import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

/** A command of a documentation page, and what the page says that it prints. */
export interface ConsoleStep {
  readonly command: string
  readonly output: string
}

/** The steps of all ```console blocks between `<!-- walk -->` and the next heading of the page. */
export function walkOf(page: string): ConsoleStep[] {
  const [, rest = ''] = page.split('<!-- walk -->\n')
  const [section = ''] = rest.split(/^#+ /m)
  return [...section.matchAll(/^```console\n(.*?)^```$/gms)].flatMap(([, block = '']) =>
    stepsOf(block)
  )
}

/** A command starts with "$ "; it goes on behind a backslash, and to the end of a here-document. */
function stepsOf(block: string): ConsoleStep[] {
  const steps: { command: string; output: string }[] = []
  for (const line of block.split('\n')) {
    const step = steps.at(-1)
    if (line.startsWith('$ ')) steps.push({ command: line.slice(2), output: '' })
    else if (step !== undefined && isUnfinished(step)) step.command += `\n${line}`
    else if (step !== undefined) step.output += `${line}\n`
  }
  return steps
}

function isUnfinished({ command, output }: ConsoleStep): boolean {
  if (output !== '') return false
  const delimiter = /<<-?\s*(['"]?)(\w+)\1/.exec(command)?.[2]
  if (delimiter !== undefined) return !command.split('\n').slice(1).includes(delimiter)
  return command.endsWith('\\')
}

/** Runs commands one after the other in one bash. @returns what each of them printed */
export async function runConsole(commands: readonly string[], cwd: string): Promise<string[]> {
  const mark = '--- next command ---'
  const script = commands.map((command) => `${command}\nprintf '\\n%s\\n' '${mark}'\n`).join('')
  const { PATH, HOME } = process.env
  const { stdout } = await promisify(execFile)('bash', ['-c', `exec 2>&1\n${script}`], {
    cwd,
    env: { PATH, HOME }
  })
  return stdout.split(`\n${mark}\n`).slice(0, -1)
}
