import { readdir, readFile } from 'node:fs/promises'
import { setPriority } from 'node:os'
import { createHashing } from './hashing.js'

/** A fifteenth of the weight of a thread of priority 0, when both want the same core. */
const hashPriority = 12

/** Costs some 10 ms, which no other thread of an idle process uses up by chance. */
const probe = { memoryKib: 19_456, time: 1, parallelism: 1 }

/**
 * Lets the event loop go first: where hashes keep every core busy, requests that need none would wait
 * for a time slice of theirs, 10 ms and more. On Linux every thread has a priority of its own, and
 * `setPriority` takes its id like a process's; elsewhere nothing is done. The threads of libuv's pool
 * have no name in all versions of Node: they are those that work when the pool hashes.
 *
 * To be called once, at the start and before there are requests.
 *
 * @param threads of the pool: UV_THREADPOOL_SIZE
 * @returns how many threads go second from now on
 */
export async function letEventLoopGoFirst(threads: number): Promise<number> {
  if (process.platform !== 'linux') return 0
  try {
    const { hash } = createHashing(probe)
    const before = await cpuByThread()
    await Promise.all(Array.from({ length: threads }, () => hash('probe')))
    const after = await cpuByThread()
    const worked = [...after]
      .map(([thread, cpu]) => ({ thread, cpu: cpu - (before.get(thread) ?? 0) }))
      .filter(({ thread }) => thread !== process.pid)
      .toSorted((one, other) => other.cpu - one.cpu)
      .slice(0, threads)
    const most = worked[0]?.cpu ?? 0
    const hashing = worked.filter(({ cpu }) => cpu > most / 4)
    for (const { thread } of hashing) setPriority(thread, hashPriority)
    return hashing.length
  } catch {
    // Where /proc is hidden or a policy forbids it, all threads stay equal.
    return 0
  }
}

/** Nanoseconds on a CPU, by thread id: the first number of schedstat, see proc(5). */
async function cpuByThread(): Promise<Map<number, number>> {
  const folder = '/proc/self/task'
  const threads = await readdir(folder)
  const times = threads.map(async (thread) => {
    const text = await readFile(`${folder}/${thread}/schedstat`, 'utf8')
    return [Number(thread), Number(text.split(' ')[0])] as const
  })
  return new Map(await Promise.all(times))
}
