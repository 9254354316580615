import { ConfigError } from './config-error.js'
import type { ConfigProblem } from './config-error.js'
import { nearestName } from './nearest-name.js'
import type { Variable } from './variable.js'

/** Reads variables and gathers whatever is wrong, to be told at once. */
export interface Environment {
  /** The value of a variable; of a wrong one, which is noted, what holds without it. */
  read: <T>(variable: Variable<T>) => T
  isSet: (variable: Variable<unknown>) => boolean
  isWrong: (variable: Variable<unknown>) => boolean
  /** Notes that a variable is wrong for a reason that lies outside of it. */
  refuse: (variable: Variable<unknown>, allowed: string) => void
  /** @throws {ConfigError} when anything was noted */
  assertRight: () => void
}

/**
 * An empty variable counts as one that is not set. A name of ours that is not known is wrong: a typo
 * must not silently weaken anything.
 */
export function createEnvironment(env: NodeJS.ProcessEnv, known: readonly string[]): Environment {
  const problems = unknownNames(env, known)

  const textOf = ({ name }: Variable<unknown>): string | undefined => env[name] || undefined

  const isWrong = ({ name }: Variable<unknown>): boolean =>
    problems.some((problem) => problem.variable === name)

  function refuse(variable: Variable<unknown>, allowed: string): void {
    problems.push({ variable: variable.name, given: show(variable, textOf(variable)), allowed })
  }

  function read<T>(variable: Variable<T>): T {
    const text = textOf(variable)
    if (text === undefined) return variable.whenUnset()
    const reading = variable.read(text)
    if (reading.kind === 'value') return reading.value
    refuse(variable, reading.allowed)
    return variable.whenUnset()
  }

  function assertRight(): void {
    if (problems.length === 0) return
    const place = new Map(known.map((name, index) => [name, index]))
    const placeOf = ({ variable }: ConfigProblem) => place.get(variable) ?? known.length
    throw new ConfigError(problems.sort((a, b) => placeOf(a) - placeOf(b)))
  }

  return {
    read,
    isSet: (name) => textOf(name) !== undefined,
    isWrong,
    refuse,
    assertRight
  }
}

function unknownNames(env: NodeJS.ProcessEnv, known: readonly string[]): ConfigProblem[] {
  return Object.keys(env)
    .filter((name) => name.startsWith('KEYCARD_') && env[name] && !known.includes(name))
    .map((name) => {
      const nearest = nearestName(name, known)
      const hint = nearest === undefined ? '' : `; ${nearest} may be meant`
      return { variable: name, given: hidden, allowed: `there is no such variable${hint}` }
    })
}

const hidden = '(hidden)'
const longestShown = 40

/** Also hides what has an @ in it: that may be a URL with a password, or somebody's address. */
function show({ isSecret }: Variable<unknown>, text: string | undefined): string {
  if (text === undefined) return '(not set)'
  if (isSecret || text.includes('@')) return hidden
  const printable = text.replaceAll(/\p{C}/gu, '\u{fffd}')
  return printable.length <= longestShown ? printable : `${printable.slice(0, longestShown)}…`
}
