import { createInterface } from 'node:readline/promises'
import { type Readable, Writable } from 'node:stream'
import { misuse, refused } from './command-error.js'
import type { Report } from './report.js'

interface Stream {
  readonly isTTY?: boolean
}

export interface TerminalOptions {
  readonly stdin: Readable & Stream
  readonly stdout: Writable & Stream
  readonly stderr: Writable & Stream
  /** NO_COLOR is honoured (https://no-color.org). */
  readonly env: NodeJS.ProcessEnv
}

export type Terminal = ReturnType<typeof createTerminal>

export type Colour = 'red' | 'yellow' | 'green' | 'dim'

const codes: Readonly<Record<Colour, number>> = { red: 31, yellow: 33, green: 32, dim: 2 }

/**
 * Where a command talks. What it found goes to stdout and nothing else does; questions, progress and
 * complaints go to stderr.
 */
export function createTerminal({ stdin, stdout, stderr, env }: TerminalOptions) {
  const isInteractive = stdin.isTTY === true && stderr.isTTY === true
  const isColourful = stdout.isTTY === true && !env['NO_COLOR'] && env['TERM'] !== 'dumb'
  const reading = new AbortController()
  const unread: AbortSignal = reading.signal
  let progressLine = ''

  // Whoever reads may have seen enough: what was done is done, and the exit code tells of it.
  for (const stream of [stdout, stderr]) {
    stream.on('error', (error) => {
      if (!('code' in error) || error.code !== 'EPIPE') throw error
      if (stream === stdout) reading.abort()
    })
  }

  function clearProgress(): void {
    if (progressLine !== '' && stderr.isTTY === true) stderr.write('\r\x1b[K')
    progressLine = ''
  }

  function note(line: string): void {
    clearProgress()
    stderr.write(`${line}\n`)
  }

  async function ask(question: string, { hidden = false } = {}): Promise<string> {
    clearProgress()
    // Readline echoes what is typed to its output.
    const output = hidden ? nowhere() : stderr
    const prompt = createInterface({ input: stdin, output, terminal: true })
    // Not before the terminal itself has ceased to echo.
    if (hidden) stderr.write(question)
    // The end of the input, or Ctrl-C, is no answer.
    const closed = new Promise<never>((_resolve, reject) => {
      prompt.once('close', () => reject(refused('There was no answer: nothing was done.')))
    })
    closed.catch(() => undefined)
    try {
      return await Promise.race([prompt.question(hidden ? '' : question), closed])
    } finally {
      prompt.close()
      if (hidden) stderr.write('\n')
    }
  }

  return {
    isInteractive,
    /** Aborted when nobody reads the output any more, as behind `| head -1`. */
    unread,
    note,

    /** What only somebody who watches wants to know. */
    remark(line: string): void {
      if (stderr.isTTY === true) note(line)
    },

    ask: (question: string) => ask(question),
    askSecret: (question: string) => ask(question, { hidden: true }),

    /** The first line of what is piped in. */
    async readLine(): Promise<string> {
      let text = ''
      for await (const chunk of stdin) text += String(chunk)
      return text.split(/\r?\n/)[0] ?? ''
    },

    colour(colour: Colour, text: string): string {
      return isColourful ? `\x1b[${codes[colour]}m${text}\x1b[0m` : text
    },

    /** One line that is written over; where nobody watches, a line for each new text. */
    progress(text: string): void {
      if (text === progressLine) return
      if (stderr.isTTY === true) stderr.write(`\r\x1b[K${text}`)
      else stderr.write(`${text}\n`)
      progressLine = text
    },

    clearProgress,

    /** A line of an output that goes on. */
    line(text: string): void {
      stdout.write(`${text}\n`)
    },

    print({ value, text }: Report, asJson: boolean): void {
      clearProgress()
      stdout.write(asJson ? `${JSON.stringify(value, null, 2)}\n` : text === '' ? '' : `${text}\n`)
    },

    /**
     * Lets whoever sits there type what is about to be done; `--yes` says it beforehand. The warning is
     * a sentence.
     *
     * @throws CommandError where something else is typed, or nobody is there to ask
     */
    async confirm(
      what: string,
      word: string,
      isConfirmed: boolean,
      warning = "This can't be undone."
    ): Promise<void> {
      if (isConfirmed) return
      if (!isInteractive) {
        throw misuse(`Nobody is here to confirm this: add --yes. ${what}`)
      }
      note(what)
      const answer = (await ask(`${warning} Type ${word} to go on: `)).trim()
      if (answer !== word) throw refused(`That was not ${word}: nothing was done.`)
    },

    /** The reason for a revocation, which the audit keeps. @throws CommandError where there is none */
    async reason(given: string | undefined): Promise<string> {
      if (given === undefined && !isInteractive) {
        throw misuse('Say why, for the audit: add --reason "…".')
      }
      const reason = (given ?? (await ask('Why? (for the audit) '))).trim()
      if (reason === '' || reason.length > longestReason) {
        throw misuse(`A reason has 1 to ${longestReason} characters.`)
      }
      return reason
    }
  }
}

const longestReason = 500

function nowhere(): Writable {
  return new Writable({ write: (_chunk, _encoding, done) => done() })
}
