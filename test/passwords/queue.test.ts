import fc from 'fast-check'
import t from 'tap'
import { createHashQueue, HashQueueFull } from '../../src/passwords/queue.js'

const patient = { waitDeadlineMs: 60_000 }

/** A job that runs until it is told how to end. */
function createJob() {
  let end: () => void = () => undefined
  let fail: (error: Error) => void = () => undefined
  let start: () => void = () => undefined
  const started = new Promise<void>((resolve) => {
    start = resolve
  })
  const ended = new Promise<void>((resolve, reject) => {
    end = resolve
    fail = reject
  })
  const job = {
    runs: 0,
    started,
    end: () => end(),
    fail: (error: Error) => fail(error),
    run: async () => {
      job.runs += 1
      start()
      await ended
    }
  }
  return job
}

t.test('a job runs at once while there is room, and its result comes back', async (t) => {
  const queue = createHashQueue({ concurrency: 1, limit: 1, ...patient })
  t.equal(await queue.run(async () => 'hash'), 'hash')
  t.same(queue.load(), { running: 0, waiting: 0, started: 1 })
})

t.test('no more jobs run at once than allowed, and the others follow in order', async (t) => {
  const queue = createHashQueue({ concurrency: 2, limit: 10, ...patient })
  const jobs = Array.from({ length: 5 }, createJob)
  const results = jobs.map((job) => queue.run(job.run))
  t.same(queue.load(), { running: 2, waiting: 3, started: 2 })
  t.same(
    jobs.map((job) => job.runs),
    [1, 1, 0, 0, 0]
  )

  jobs[1]?.end()
  await jobs[2]?.started
  t.same(queue.load(), { running: 2, waiting: 2, started: 3 })
  t.same(
    jobs.map((job) => job.runs),
    [1, 1, 1, 0, 0]
  )

  for (const job of jobs) job.end()
  await Promise.all(results)
  t.same(queue.load(), { running: 0, waiting: 0, started: 5 })
})

t.test('a full queue refuses the next job and never runs it', async (t) => {
  const queue = createHashQueue({ concurrency: 1, limit: 2, ...patient })
  const jobs = Array.from({ length: 4 }, createJob)
  const results = jobs.map((job) => queue.run(job.run))
  await t.rejects(Promise.all(results), new HashQueueFull('2 hashes are waiting already'))

  for (const job of jobs) job.end()
  await Promise.allSettled(results)
  t.same(
    jobs.map((job) => job.runs),
    [1, 1, 1, 0]
  )
})

t.test('a job that has waited past the deadline is refused and never runs', async (t) => {
  const queue = createHashQueue({ concurrency: 1, limit: 2, waitDeadlineMs: 5 })
  const running = createJob()
  const expired = createJob()
  const first = queue.run(running.run)
  await t.rejects(queue.run(expired.run), new HashQueueFull('a hash has waited for 5 ms'))
  t.same(queue.load(), { running: 1, waiting: 0, started: 1 })

  running.end()
  await first
  await queue.run(async () => undefined)
  t.equal(expired.runs, 0)
})

t.test(
  'the deadline counts the waiting only: a job that has started may take longer',
  async (t) => {
    const queue = createHashQueue({ concurrency: 1, limit: 1, waitDeadlineMs: 5 })
    const slow = createJob()
    const result = queue.run(slow.run)
    await t.rejects(queue.run(createJob().run), HashQueueFull)
    slow.end()
    await t.resolves(result)
  }
)

t.test('a job that fails gives its place to the next one', async (t) => {
  const queue = createHashQueue({ concurrency: 1, limit: 1, ...patient })
  const failing = createJob()
  const next = createJob()
  const failed = queue.run(failing.run)
  const followed = queue.run(next.run)
  failing.fail(new Error('out of memory'))
  await t.rejects(failed, new Error('out of memory'))
  next.end()
  await t.resolves(followed)
  t.same(queue.load(), { running: 0, waiting: 0, started: 2 })
})

t.test('whatever comes and ends when, the bounds hold and every job is answered', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 1, max: 8 }),
      fc.scheduler(),
      fc.integer({ min: 0, max: 30 }),
      async (concurrency, limit, scheduler, count) => {
        const queue = createHashQueue({ concurrency, limit, ...patient })
        let most = 0
        const results = Array.from({ length: count }, () =>
          queue
            .run(async () => {
              most = Math.max(most, queue.load().running)
              await scheduler.schedule(Promise.resolve())
            })
            .then(
              () => 'done',
              () => 'refused'
            )
        )
        await scheduler.waitFor(Promise.all(results))
        const done = (await Promise.all(results)).filter((result) => result === 'done').length
        const { running, waiting, started } = queue.load()
        return (
          most <= concurrency &&
          done === Math.min(count, concurrency + limit) &&
          started === done &&
          running + waiting === 0
        )
      }
    )
  )
  t.pass('held for every order')
})
