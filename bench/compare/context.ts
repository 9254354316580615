import { createLifetime, type Lifetime } from '../../test/support/lifetime.js'
import { buildServers, type ServerScript } from './build.js'
import type { CompareOptions } from './options.js'
import type { Section } from './report.js'

/** What each part of a run works with. */
export interface PartContext<Options, Result> {
  readonly options: Options
  readonly script: ServerScript
  /** Ends with the part: what it started does not run beside the next one. */
  readonly lifetime: Lifetime
  /** One line of progress. */
  readonly say: (line: string) => void
  /** Keeps a result, or what is known of it so far; called again with more of it. */
  readonly keep: (result: Result) => Promise<void>
}

export type Context = PartContext<CompareOptions, Section>
export type Part = (context: Context) => Promise<void>

export interface Run<
  Name extends string,
  Options extends { readonly only: readonly Name[] },
  Result
> extends Pick<PartContext<Options, Result>, 'options' | 'keep'> {
  /** What was kept so far. */
  readonly kept: () => readonly Result[]
  readonly textOf: (result: Result) => string
}

/** Runs the parts that were asked for, one after the other, and prints what each has made. */
export async function runParts<
  Name extends string,
  Options extends { readonly only: readonly Name[] },
  Result
>(
  parts: Readonly<Record<Name, (context: PartContext<Options, Result>) => Promise<void>>>,
  { options, keep, kept, textOf }: Run<Name, Options, Result>
): Promise<void> {
  const outer = createLifetime()
  try {
    const script = await buildServers(outer)
    for (const name of options.only) {
      say(`${name}:`)
      const before = kept()
      const lifetime = createLifetime()
      try {
        await parts[name]({ options, script, lifetime, say, keep })
      } finally {
        await lifetime.end()
      }
      const made = kept().filter((result) => !before.includes(result))
      process.stdout.write(`\n${made.map(textOf).join('\n')}\n`)
    }
  } finally {
    await outer.end()
  }
}

function say(line: string): void {
  process.stderr.write(`${new Date().toISOString().slice(11, 19)}  ${line}\n`)
}
