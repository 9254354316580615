import type { Read } from './reading.js'

/** One environment variable: how it is read, what holds without it, and what to tell people. */
export interface Variable<T> {
  readonly name: string
  readonly read: Read<T>
  readonly whenUnset: () => T
  /** What holds without it, in Markdown. */
  readonly default: string
  /** In Markdown. */
  readonly description: string
  /** Never quoted in a message. */
  readonly isSecret: boolean
}

interface Documentation {
  readonly default: string
  readonly description: string
  readonly isSecret?: boolean
}

/** A variable whose default is written like a value of it. */
export function variable<T>(
  name: string,
  read: Read<T>,
  documentation: Documentation
): Variable<T> {
  const whenUnset = (): T => {
    const reading = read(documentation.default)
    if (reading.kind === 'value') return reading.value
    throw new TypeError(`The default of ${name} is wrong. Allowed: ${reading.allowed}`)
  }
  const markdown = `\`${documentation.default}\``
  return { name, read, whenUnset, isSecret: false, ...documentation, default: markdown }
}

/** A variable without a value of its own when unset: the default says in words what happens then. */
export function optional<T>(
  name: string,
  read: Read<T>,
  documentation: Documentation
): Variable<T | undefined> {
  return { name, read, whenUnset: () => undefined, isSecret: false, ...documentation }
}
