import { readdirSync } from 'node:fs'
import { getPriority } from 'node:os'
import t from 'tap'
import { letEventLoopGoFirst } from '../../src/passwords/thread-priority.js'

const isLinux = process.platform === 'linux'
const threads = Number(process.env['UV_THREADPOOL_SIZE'] ?? 4)

t.test('the threads that hash go second, and no other does', async (t) => {
  const usual = getPriority()
  const count = await letEventLoopGoFirst(threads)
  if (!isLinux) {
    t.equal(count, 0)
    return
  }
  const all = readdirSync('/proc/self/task').map((thread) => getPriority(Number(thread)))
  t.equal(count, threads)
  t.equal(all.filter((priority) => priority > usual).length, threads)
  t.equal(getPriority(), usual, 'the event loop keeps its own')
})
