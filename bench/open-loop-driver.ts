/**
 * The second process of guard-cpu.ts: sends requests at a fixed rate, whether or not the answers keep up, over
 * connections that stay open. It does what it is told in messages.
 */
import { Agent, get } from 'node:http'

/** What to send. The tokens take turns. */
export interface Round {
  readonly url: string
  readonly tokens: readonly string[]
  readonly perSecond: number
  readonly seconds: number
}

export interface RoundResult {
  readonly answers: number
  /** How many came with each status, or failed with each message. */
  readonly outcomes: Readonly<Record<string, number>>
}

const agent = new Agent({ keepAlive: true, maxSockets: 256 })

function drive(round: Round, done: (result: RoundResult) => void): void {
  const { url, tokens, perSecond, seconds } = round
  const total = perSecond * seconds
  const headers = tokens.map((token) => ({ authorization: `Bearer ${token}` }))
  const outcomes: Record<string, number> = {}
  let sent = 0
  let answers = 0

  function count(outcome: string): void {
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
    answers++
    if (answers === total) done({ answers, outcomes })
  }
  function send(): void {
    const request = get(url, { agent, headers: headers[sent % headers.length] }, (answer) => {
      answer.resume().on('end', () => count(String(answer.statusCode)))
    })
    request.on('error', (error) => count(error.message))
    sent++
  }

  const start = performance.now()
  const timer = setInterval(() => {
    const due = Math.min(total, Math.floor(((performance.now() - start) / 1000) * perSecond))
    while (sent < due) send()
    if (sent === total) clearInterval(timer)
  }, 1)
}

process.on('message', (round: Round) => {
  drive(round, (result) => process.send?.(result))
})
