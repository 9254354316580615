import t from 'tap'
import { firstEventId, newEventId } from '../../src/audit/event-id.js'
import { uuidPattern } from '../../src/uuid.js'

const moment = new Date('2026-01-01T00:00:00.123Z')

t.test('ids are UUIDs of version 7 that carry the moment', (t) => {
  for (let count = 0; count < 200; count++) {
    const id = newEventId(moment)
    t.match(id, uuidPattern)
    t.match(id, /^.{14}7.{4}[89ab]/)
    t.equal(Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16), moment.getTime())
  }
  t.end()
})

t.test('they rise within a millisecond, and with time', (t) => {
  const another = new Date(moment.getTime() + 1_000)
  const ids = Array.from({ length: 4096 }, () => newEventId(another))
  t.same([...ids].sort(), ids)
  t.equal(new Set(ids).size, ids.length)
  const beyond = Array.from({ length: 100 }, () => newEventId(another))
  t.equal(new Set([...ids, ...beyond]).size, ids.length + 100, 'and stay unique beyond')
  const last = [...ids, ...beyond].sort().at(-1) ?? ''
  t.ok(newEventId(new Date(another.getTime() + 1)) > last)
  t.end()
})

t.test('a moment divides the ids before it from those since', (t) => {
  const next = new Date(moment.getTime() + 1)
  for (let count = 0; count < 200; count++) {
    t.ok(newEventId(moment) >= firstEventId(moment))
    t.ok(newEventId(moment) < firstEventId(next))
  }
  t.match(firstEventId(new Date(-1)), uuidPattern)
  t.match(firstEventId(new Date(8.64e15)), uuidPattern)
  t.end()
})
