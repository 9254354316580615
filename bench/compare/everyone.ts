import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { requestBytes } from '../load/driver/connection.js'
import type { Planned } from '../load/driver/drive.js'
import type { Part } from './context.js'
import { startDeployment } from './deployment.js'
import { closed, type LoadFigures, send, targetOf } from './loads.js'
import type { Column, Goal, Section } from './report.js'
import type { RevokeOrder, RevokeResult } from './revoker.js'
import { accessTokensOf, firstSeeding } from './seed.js'
import { quantile } from './statistics.js'

const tokensInRotation = 200
/** How long the old tokens are still presented after the answer. */
const presentedAfterMs = 250
/** As long as the driver waits for an answer. */
const patienceMs = 10_000
const columns: readonly Column[] = [
  { key: 'p50Ms', label: 'answer p50 ms', digits: 1 },
  { key: 'p99Ms', label: 'p99 ms', digits: 1 },
  { key: 'maxMs', label: 'most ms', digits: 1 },
  { key: 'firstMs', label: 'first on a node ms', digits: 1 },
  { key: 'lastAcceptedMs', label: 'last accepted, ms before the answer', digits: 1 },
  { key: 'acceptedAfter', label: 'old tokens accepted after', digits: 0 },
  { key: 'refusedNew', label: 'new tokens refused', digits: 0 },
  { key: 'others', label: 'other answers', digits: 0 },
  { key: 'perSecond', label: 'requests/s meanwhile', digits: 0 }
]

/** How long the revocation of everyone takes while all nodes are saturated, and whether it is true when answered. */
export const everyone: Part = async (context) => {
  const { options, lifetime, say, keep } = context
  const { nodes } = await startDeployment(context, {
    nodes: options.nodes,
    users: tokensInRotation
  })
  const operator = fork(new URL('revoker.ts', import.meta.url))
  lifetime.teardown(() => operator.kill())

  const ports = nodes.map(({ url }) => targetOf(url).port)
  const crowd = createCrowd()
  const ending = new AbortController()
  const load = {
    mode: closed,
    connections: options.connections,
    seconds: 24 * 3_600,
    signal: ending.signal
  }
  const driving = send(
    nodes.map(({ url }) => url),
    (sequence) => crowd.next(sequence),
    load
  )
  await pause(options.warmUpSeconds * 1_000)
  const first: Verdict[] = []
  const verdicts: Verdict[] = []
  // As everything else, each node is measured when its code is compiled and its statements are prepared.
  for (let count = -nodes.length; count < options.revocations; count++) {
    const node = nodes[(count + nodes.length) % nodes.length] ?? nodes[0]
    const result = await tell(operator, { origin: node.url })
    if (result.status !== 201) throw new Error(`The revocation was answered ${result.status}`)
    await pause(presentedAfterMs)
    const fate = await crowd.moveOn()
    const verdict = judge(fate, result, ports)
    if (count < 0) first.push(verdict)
    else verdicts.push(verdict)
    say(
      `everyone ${count < 0 ? 'first' : count + 1}/${options.revocations}  answered in ${verdict.answerMs.toFixed(1)} ms; after that ` +
        `${verdict.acceptedAfter} old tokens accepted, ${verdict.refusedAfter} refused`
    )
    if (count >= 0) await keep(sectionOf({ first, verdicts }))
  }
  ending.abort()
  await keep(sectionOf({ first, verdicts }, await driving))
}

function sectionOf(
  {
    first,
    verdicts
  }: {
    /** The first on each node. */ readonly first: readonly Verdict[]
    readonly verdicts: readonly Verdict[]
  },
  load?: LoadFigures
): Section {
  const name = `Keycard, ${first.length} nodes`
  const all = [...first, ...verdicts]
  const answers = verdicts.map(({ answerMs }) => answerMs)
  const sum = (key: 'acceptedAfter' | 'refusedNew' | 'others') =>
    all.reduce((total, verdict) => total + verdict[key], 0)
  const medians = {
    p50Ms: quantile(answers, 0.5),
    p99Ms: quantile(answers, 0.99),
    maxMs: Math.max(...answers),
    firstMs: Math.max(...first.map(({ answerMs }) => answerMs)),
    lastAcceptedMs: Math.min(...all.map(({ lastAcceptedMs }) => lastAcceptedMs)),
    acceptedAfter: sum('acceptedAfter'),
    refusedNew: sum('refusedNew'),
    others: sum('others'),
    perSecond: load?.perSecond ?? NaN
  }
  const goal = (what: string, wanted: number, measured: number): Goal => {
    return { what, bound: 'at most', wanted, measured }
  }
  return {
    id: 'everyone',
    title: `Everyone revoked ${all.length} times while all nodes are saturated`,
    baseline: name,
    columns,
    rows: [{ name, medians, ratios: {}, rounds: all }],
    goals: [
      goal('old tokens accepted after the answer', 0, medians.acceptedAfter),
      goal('p99 of the answer in ms', 100, medians.p99Ms),
      goal('the first answer of a node in ms', 100, medians.firstMs)
    ]
  }
}

async function tell(operator: ChildProcess, order: RevokeOrder): Promise<RevokeResult> {
  operator.send(order)
  const [result] = (await Promise.race([
    once(operator, 'message'),
    once(operator, 'exit').then(() => {
      throw new Error('The operator has ended')
    })
  ])) as [RevokeResult]
  return result
}

/** What became of the tokens of one generation: when each request was sent and, where refused, answered and by whom. */
interface Fate {
  readonly acceptedSentMs: number[]
  readonly refused: readonly Refusal[]
  /** Answered with something else, or never. */
  readonly others: number
}

interface Refusal {
  readonly sentMs: number
  readonly answeredMs: number
  /** Of the node. */
  readonly port: number
}

/** Those who ask, all with tokens of the generation that is thought to be good. */
function createCrowd() {
  // Times of process.hrtime, as the operator's are.
  const offsetMs = Number(process.hrtime.bigint()) / 1e6 - performance.now()
  let generation = 1
  let requests = requestsOf(generation)
  let count = newCount()

  return {
    next(sequence: number): Planned {
      const own = count
      own.underWay++
      return {
        name: 'protected',
        request: requests[sequence % requests.length] ?? Buffer.alloc(0),
        onAnswer({ status, body, sentAt, receivedAt, target: { port } }) {
          const sentMs = sentAt + offsetMs
          const answeredMs = receivedAt + offsetMs
          if (status === 200) own.acceptedSentMs.push(sentMs)
          else if (status === 401 && body.includes('"TOKEN_REVOKED"'))
            own.refused.push({ sentMs, answeredMs, port })
          else own.others++
          own.underWay--
          if (own.underWay === 0) own.onQuiet?.()
        }
      }
    },

    /** From now on the tokens of the next generation are presented. @returns the fate of the others, all answered */
    async moveOn(): Promise<Fate> {
      const left = count
      generation++
      requests = requestsOf(generation)
      count = newCount()
      if (left.underWay > 0) {
        const quiet = new Promise<void>((resolve) => (left.onQuiet = resolve))
        await Promise.race([quiet, pause(patienceMs, undefined, { ref: false })])
      }
      return { ...left, others: left.others + left.underWay }
    }
  }
}

interface Count {
  readonly acceptedSentMs: number[]
  readonly refused: Refusal[]
  others: number
  underWay: number
  onQuiet: (() => void) | undefined
}

const newCount = (): Count => ({
  ...{ acceptedSentMs: [], refused: [], others: 0, underWay: 0 },
  onQuiet: undefined
})

/**
 * @param ports of all nodes
 * @throws where a node refused no token that was sent after the answer, and none was accepted: nothing would be
 * proved of it, as one that answers nobody accepts no old token either
 */
export function judge(
  { acceptedSentMs, refused, others }: Fate,
  result: Times,
  ports: readonly number[]
): Verdict {
  const { askedAtMs, answeredAtMs } = result
  const lastAcceptedMs = acceptedSentMs.reduce((last, at) => Math.max(last, at), -Infinity)
  const refusals = refused.filter(({ sentMs }) => sentMs > answeredAtMs)
  const acceptedAfter = acceptedSentMs.filter((at) => at > answeredAtMs).length
  const silent = ports.filter((port) => !refusals.some((refusal) => refusal.port === port))
  if (acceptedAfter === 0 && silent.length > 0) {
    throw new Error(`Nothing shows that the nodes on ${silent.join(', ')} refuse old tokens`)
  }
  return {
    answerMs: answeredAtMs - askedAtMs,
    lastAcceptedMs: answeredAtMs - lastAcceptedMs,
    acceptedAfter,
    refusedAfter: refusals.length,
    refusedNew: refused.filter(({ answeredMs }) => answeredMs < askedAtMs).length,
    others
  }
}

type Times = Pick<RevokeResult, 'askedAtMs' | 'answeredAtMs'>

type Verdict = Readonly<
  Record<
    'answerMs' | 'lastAcceptedMs' | 'acceptedAfter' | 'refusedAfter' | 'refusedNew' | 'others',
    number
  >
>

function requestsOf(generation: number): Buffer[] {
  return accessTokensOf(tokensInRotation, { seeding: { ...firstSeeding, generation } }).map(
    (token) => requestBytes({ path: '/protected', headers: { authorization: `Bearer ${token}` } })
  )
}
