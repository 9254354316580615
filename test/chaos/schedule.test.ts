import fc from 'fast-check'
import t from 'tap'
import { type Round, schedule, type ScheduleOptions } from './schedule.js'

function firstRounds(count: number, options: Partial<ScheduleOptions>): Round[] {
  const rounds: Round[] = []
  for (const round of schedule({ seed: 1, nodes: 4, redis: true, ...options })) {
    rounds.push(round)
    if (rounds.length === count) break
  }
  return rounds
}

const kindsIn = (rounds: readonly Round[]): string[] => [
  ...new Set(rounds.flatMap(({ faults }) => faults.map(({ plan }) => plan.kind)))
]

t.test('a seed replays the schedule, and another seed is another schedule', async () => {
  fc.assert(
    fc.property(fc.nat(), (seed) => {
      const first = JSON.stringify(firstRounds(20, { seed }))
      const again = JSON.stringify(firstRounds(20, { seed }))
      const other = JSON.stringify(firstRounds(20, { seed: seed + 1 }))
      return first === again && first !== other
    })
  )
})

t.test('every kind of fault comes up, none of Redis where there is none', async (t) => {
  t.same(kindsIn(firstRounds(300, {})).sort(), [
    'block event loops',
    'cut postgres',
    'cut redis',
    'delay postgres',
    'delay redis',
    'empty redis',
    'flush redis',
    'freeze nodes',
    'freeze postgres',
    'freeze redis',
    'kill nodes',
    'redis failover',
    'redis from an old snapshot',
    'restart postgres',
    'restart redis'
  ])
  const without = kindsIn(firstRounds(300, { redis: false }))
  t.notMatch(without.join(), 'redis')
})

t.test('a list of kinds is gone through once', async (t) => {
  const kinds = ['flush redis', 'kill nodes'] as const
  const rounds = [...schedule({ seed: 1, nodes: 4, redis: true, kinds })]
  t.same(
    rounds.map(({ faults }) => faults.map(({ plan }) => plan.kind)),
    [['flush redis'], ['kill nodes']]
  )
})
