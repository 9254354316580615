import type { RequestListener } from 'node:http'
import t from 'tap'
import { type Answer, drive, type Planned } from '../../bench/load/driver/drive.js'
import { requestBytes, sendOnce } from '../../bench/load/driver/connection.js'
import { figuresOf } from '../../bench/load/driver/measured.js'
import { createQueue } from '../../bench/load/driver/queue.js'
import { serve } from '../support/serve.js'

const request = requestBytes({ path: '/' })
const planned: Planned = { name: 'x', request }

t.test('an open loop sends what is due, each once and dated by when it was due', async (t) => {
  const target = await serve(t, (_, response) => response.end('ok'))
  const sequences: number[] = []
  const answers: Answer[] = []
  const driven = await drive({
    targets: [target],
    connections: 4,
    mode: { kind: 'open', perSecond: 200 },
    durationMs: 500,
    next(sequence) {
      sequences.push(sequence)
      return { ...planned, onAnswer: (answer) => answers.push(answer) }
    }
  })
  t.same(
    sequences,
    Array.from({ length: 100 }, (_, index) => index)
  )
  t.equal(answers.length, 100)
  t.equal(figuresOf(driven.all, driven.durationMs).statuses['200'], 100)
  const [first] = answers
  for (const { dueAt, sentAt, receivedAt } of answers) {
    if (dueAt > sentAt || sentAt > receivedAt) t.fail('out of order')
    const steps = (dueAt - (first?.dueAt ?? 0)) / 5
    if (Math.abs(steps - Math.round(steps)) > 0.01) t.fail('not due every 5 ms')
  }
})

t.test('a server that stalls is charged for the requests that had to wait for it', async (t) => {
  let count = 0
  const target = await serve(t, (_, response) => {
    setTimeout(() => response.end('ok'), count++ === 0 ? 300 : 0)
  })
  const waits: number[] = []
  await drive({
    targets: [target],
    connections: 1,
    mode: { kind: 'open', perSecond: 100 },
    durationMs: 300,
    next: () => ({ ...planned, onAnswer: ({ dueAt, sentAt }) => waits.push(sentAt - dueAt) })
  })
  // All were due while the first was under way, so the second waited for nearly all of it.
  t.ok(waits.length === 30 && (waits[1] ?? 0) > 150, JSON.stringify(waits))
})

t.test('an open loop that may open more connections sends whatever is under way', async (t) => {
  let asked = 0
  const target = await serve(t, (_, response) => {
    // None is answered before the last one has been sent.
    if (++asked === 20) for (const waiting of held.splice(0)) waiting()
    else held.push(() => response.end('ok'))
    if (asked === 20) response.end('ok')
  })
  const held: (() => unknown)[] = []
  const { all, dropped } = await drive({
    targets: [target],
    connections: 1,
    mostConnections: 20,
    mode: { kind: 'open', perSecond: 200 },
    durationMs: 100,
    next: () => planned
  })
  t.same([...all.statuses], [[200, 20]])
  t.equal(dropped, 0)
})

t.test('connections take turns, so that no target is spared', async (t) => {
  const asked = [0, 0, 0]
  const count = (index: number): RequestListener => {
    return (_, response) => {
      asked[index] = (asked[index] ?? 0) + 1
      response.end('ok')
    }
  }
  const targets = await Promise.all([0, 1, 2].map((index) => serve(t, count(index))))
  await drive({
    targets,
    // One for each request: however late answers are, none has to wait for whichever is free first.
    connections: 30,
    mode: { kind: 'open', perSecond: 100 },
    durationMs: 300,
    next: () => planned
  })
  t.same(asked, [10, 10, 10])
})

t.test('a connection that breaks counts as a failure, and is opened again', async (t) => {
  let count = 0
  const target = await serve(t, (asked, response) => {
    if (count++ === 1) asked.socket.destroy()
    else response.end('ok')
  })
  const statuses: number[] = []
  const calling = new AbortController()
  await drive({
    targets: [target],
    connections: 1,
    mode: { kind: 'closed' },
    durationMs: 60_000,
    signal: calling.signal,
    next(sequence) {
      if (sequence < 3) return { ...planned, onAnswer: ({ status }) => statuses.push(status) }
      calling.abort()
      return undefined
    }
  })
  t.same(statuses, [200, 0, 200])
})

t.test('what is never answered counts as well, and what could not be sent', async (t) => {
  const asked: (string | undefined)[] = []
  const target = await serve(t, ({ url }, response) => {
    asked.push(url)
    if (url === '/afterwards') response.end()
  })
  const driven = await drive({
    targets: [target],
    connections: 2,
    mode: { kind: 'open', perSecond: 100 },
    durationMs: 100,
    patienceMs: 50,
    next: (sequence) => (sequence === 3 ? undefined : planned)
  })
  t.same([...driven.all.statuses], [[0, 2]])
  t.equal(driven.dropped, 8)
  t.ok(driven.all.histogram.maxValue >= 130_000, 'with the time that they were waited for')
  await sendOnce(target, requestBytes({ path: '/afterwards' }))
  t.same(asked, ['/', '/', '/afterwards'], 'nothing is sent when it is over')
})

t.test('there is a row for each second, whether or not anybody looks on', async (t) => {
  const target = await serve(t, (_, response) => response.writeHead(401).end())
  const { seconds } = await drive({
    targets: [target],
    connections: 1,
    mode: { kind: 'open', perSecond: 50 },
    durationMs: 1_000,
    next: () => planned
  })
  t.equal(seconds.length, 1)
  t.equal(seconds[0]?.refusals, seconds[0]?.answers)
})

t.test('a load that is called off ends at once', async (t) => {
  const target = await serve(t, (_, response) => response.end('ok'))
  const calling = new AbortController()
  for (const mode of [{ kind: 'open', perSecond: 100 }, { kind: 'closed' }] as const) {
    const { durationMs } = await drive({
      targets: [target],
      connections: 1,
      mode,
      durationMs: 60_000,
      signal: calling.signal,
      next(sequence) {
        if (sequence === 3) calling.abort()
        return planned
      }
    })
    t.ok(durationMs < 30_000)
  }
})

t.test('a queue gives back everything in order', async (t) => {
  const queue = createQueue<number>()
  const given: number[] = []
  for (let pushed = 0; pushed < 10_000; pushed++) {
    queue.push(pushed)
    if (pushed % 3 > 0) given.push(queue.shift() ?? -1)
  }
  while (queue.length() > 0) given.push(queue.shift() ?? -1)
  t.same(
    given,
    Array.from({ length: 10_000 }, (_, index) => index)
  )
  t.equal(queue.shift(), undefined)
  queue.push(7)
  t.equal(queue.shift(), 7)
})
