import { setImmediate as turn } from 'node:timers/promises'
import fc from 'fast-check'
import t from 'tap'
import { coalesce } from '../../src/database/coalesce.js'

/** Statements whose answers are given by hand: each key is answered with the number of its statement. */
function byHand() {
  const open: { readonly keys: readonly number[]; readonly end: (failure?: Error) => void }[] = []
  let sent = 0
  function ask(keys: readonly number[]): Promise<number[]> {
    const number = ++sent
    return new Promise((resolve, reject) => {
      const end = (failure?: Error): void => {
        open.splice(open.indexOf(statement), 1)
        if (failure === undefined) resolve(keys.map((key) => key * 1_000 + number))
        else reject(failure)
      }
      const statement = { keys, end }
      open.push(statement)
    })
  }
  return { open, ask, sent: () => sent }
}

async function settle(): Promise<void> {
  for (let count = 0; count < 5; count++) await turn()
}

t.test(
  'whatever comes when: each call has its own answer, of a statement sent after it',
  async () => {
    const steps = fc.array(
      fc.oneof(
        fc.record({ kind: fc.constant('call' as const), calls: fc.integer({ min: 1, max: 9 }) }),
        fc.record({ kind: fc.constant('end' as const), which: fc.nat(5), fails: fc.boolean() })
      ),
      { maxLength: 40 }
    )
    await fc.assert(
      fc.asyncProperty(steps, fc.integer({ min: 1, max: 3 }), async (script, lanes) => {
        const statements = byHand()
        const call = coalesce(statements.ask, { lanes, most: 5, patienceMs: 60_000 })
        const answers: Promise<void>[] = []
        let [next, failed, answered] = [0, 0, 0]
        function ask(): void {
          const key = next++
          const before = statements.sent()
          answers.push(
            call(key).then(
              (answer) => {
                answered++
                if (Math.floor(answer / 1_000) !== key) throw new Error('not its own answer')
                if (answer % 1_000 <= before) throw new Error('answered by an earlier statement')
              },
              (error: unknown) => {
                if (!(error instanceof Error) || error.message !== 'lost') throw error
                failed++
              }
            )
          )
        }
        let expectedFailures = 0
        for (const step of script) {
          if (step.kind === 'call') for (let count = 0; count < step.calls; count++) ask()
          else {
            const statement = statements.open[step.which % Math.max(1, statements.open.length)]
            if (step.fails) expectedFailures += statement?.keys.length ?? 0
            statement?.end(step.fails ? new Error('lost') : undefined)
          }
          await settle()
          if (statements.open.length > lanes) throw new Error('more statements than lanes')
          if (statements.open.some(({ keys }) => keys.length > 5)) throw new Error('too many keys')
        }
        while (statements.open.length > 0) {
          statements.open[0]?.end()
          await settle()
        }
        await Promise.all(answers)
        return failed === expectedFailures && failed + answered === next
      })
    )
  }
)

t.test('nobody waits for a statement that may never end', async (t) => {
  const statements = byHand()
  const call = coalesce(statements.ask, { lanes: 1, patienceMs: 1 })
  const stuck = call(1)
  await settle()
  const late = call(2)
  while (statements.open.length < 2) await turn()
  statements.open[1]?.end()
  t.equal(await late, 2_002)
  statements.open[0]?.end()
  t.equal(await stuck, 1_001)
})

t.test('what was held back goes once, however it came to go', async (t) => {
  const statements = byHand()
  const call = coalesce(statements.ask, { lanes: 1, patienceMs: 1 })
  const first = call(1)
  await settle()
  const second = call(2)
  await settle()
  statements.open[0]?.end()
  await first
  while (statements.open.length < 1) await turn()
  statements.open[0]?.end()
  t.equal(await second, 2_002)
  t.equal(statements.sent(), 2)
})
