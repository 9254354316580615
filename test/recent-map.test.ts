import fc from 'fast-check'
import t from 'tap'
import { createRecentMap } from '../src/recent-map.js'

t.test('what is found is what was last set, and there is never too much of it', async (t) => {
  const key = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f')
  const step = fc.oneof(
    fc.record({ kind: fc.constant('set' as const), key, value: fc.integer() }),
    fc.record({ kind: fc.constant('get' as const), key }),
    fc.record({ kind: fc.constant('clear' as const), key })
  )
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 8 }),
      fc.array(step, { maxLength: 60 }),
      (limit, steps) => {
        const map = createRecentMap<number>(limit)
        const model = new Map<string, number>()
        for (const each of steps) {
          if (each.kind === 'set') {
            map.set(each.key, each.value)
            model.set(each.key, each.value)
          } else if (each.kind === 'clear') {
            map.clear()
            model.clear()
          } else {
            const found = map.get(each.key)
            if (found !== undefined && found !== model.get(each.key)) return false
          }
          if (map.size() > limit) return false
        }
        return true
      }
    )
  )
  t.pass()
})

t.test('what is in use stays, whatever else comes', async (t) => {
  const map = createRecentMap<number>(10)
  map.set('in use', 1)
  for (let count = 0; count < 1_000; count++) {
    map.set(`${count}`, count)
    t.equal(map.get('in use'), 1)
  }
  t.equal(map.get('0'), undefined)
})
