import { randomBytes } from 'node:crypto'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import { uuidv7 } from 'uuidv7'
import { createKnownSessions } from '../../src/sessions/known-sessions.js'

const newSession = () => ({ id: uuidv7(), userId: uuidv7(), salt: randomBytes(16) })

t.test('a session that is known is found as it was', async (t) => {
  const known = createKnownSessions()
  const [session, other] = [newSession(), newSession()]
  known.add(session)
  t.same(known.find(session.id), session)
  t.equal(known.find(other.id), undefined)
})

t.test('a session that is known takes some 250 bytes, however its ids were made', async (t) => {
  setFlagsFromString('--expose-gc')
  const collectGarbage = runInNewContext('gc') as () => void
  const count = 20_000
  const known = createKnownSessions()
  const first = newSession()
  known.add(first)
  collectGarbage()
  const before = process.memoryUsage().heapUsed
  for (let added = 0; added < count; added++) known.add(newSession())
  collectGarbage()
  const each = (process.memoryUsage().heapUsed - before) / count
  t.ok(each < 600, `${each} bytes`)
  t.same(known.find(first.id), first)
})
