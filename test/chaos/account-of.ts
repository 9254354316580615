import { type Violation } from './checker.js'
import { type Call, type History, overlap, resultOf, type Span } from './history.js'

/** How far around a violation its account looks, in ms. */
const aroundMs = 3_000
const mostLines = 40

/** All that bears upon one violation: the token, and what happened around it. */
export function accountOf(violation: Violation, history: History): string[] {
  const { rule, detail, call, revocation, start, end } = violation
  const around = { start: start - aroundMs, end: end + aroundMs }
  const zero = history.calls[0]?.start ?? 0
  const faults = history.faults.filter((fault) => overlap(fault, around))
  const related = history.calls.filter((other) => overlap(other, around) && isRelated(other, call))
  const timeline = [
    ...faults.map((fault) => ({ ...fault, text: `fault: ${fault.name}` })),
    ...related.map((other) => ({ ...other, text: describe(other) }))
  ].sort((one, other) => one.start - other.start)
  const nearest = timeline.filter((entry) => overlap(entry, { start: start - 500, end: end + 500 }))
  const shown = timeline.length > mostLines ? nearest.slice(0, mostLines) : timeline
  return [
    `${rule}: ${detail}`,
    ...(call === undefined ? [] : [`  ${moment(call, zero)} ${describe(call)}`]),
    ...(revocation === undefined
      ? []
      : [`  revoked by ${moment(revocation, zero)} ${describe(revocation)}`]),
    '  around it:',
    ...shown.map((entry) => `    ${moment(entry, zero)} ${entry.text}`)
  ]
}

function isRelated(other: Call, call: Call | undefined): boolean {
  if (call === undefined) return false
  const [one, two] = [subjectOf(call), subjectOf(other)]
  if (other.kind === 'revocation') {
    return [one?.jti, one?.sid, one?.sub, ''].includes(other.target)
  }
  return one?.sid !== undefined && one.sid === two?.sid
}

interface Subject {
  readonly jti?: string
  readonly sid?: string
  readonly sub?: string
  readonly ver?: number
  readonly gen?: number
  readonly ordinal?: number
}

function subjectOf(call: Call): Subject | undefined {
  if (call.kind === 'login') return undefined
  return call.kind === 'revocation' ? call.by : call.token
}

function describe(call: Call): string {
  const result = `node ${call.node} → ${resultOf(call)}`
  if (call.kind === 'login') return `login ${result}`
  if (call.kind === 'revocation') {
    const level = call.level === undefined ? '' : ` to ${call.level}`
    return `${call.route} ${call.scope} ${call.target}${level} ${result}`
  }
  const { jti, sid, sub, ver, gen, ordinal }: Subject = call.token
  const which = jti === undefined ? `ordinal ${ordinal}` : `jti ${jti}`
  return `${call.kind} ${which} sid ${sid} sub ${sub} ver ${ver} gen ${gen} ${result}`
}

const moment = ({ start, end }: Span, zero: number): string =>
  `${(start - zero).toFixed(1)}–${(end - zero).toFixed(1)} ms`
