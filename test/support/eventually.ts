import { setTimeout as pause } from 'node:timers/promises'

const pollMs = 20

/**
 * Asks until the answer is one, and returns it. What fails counts as no answer yet.
 * @throws naming `what` was waited for, when it did not come within `withinMs`
 */
export async function eventually<T>(
  what: string,
  ask: () => T | Promise<T>,
  { withinMs = 20_000 }: { withinMs?: number } = {}
): Promise<Exclude<Awaited<T>, false | null | undefined>> {
  const deadline = performance.now() + withinMs
  let failure: unknown
  for (;;) {
    try {
      const answer = await ask()
      if (isAnswer(answer)) return answer
      failure = undefined
    } catch (error) {
      failure = error
    }
    if (performance.now() > deadline) {
      throw new Error(`Not within ${withinMs} ms: ${what}`, { cause: failure })
    }
    await pause(pollMs)
  }
}

function isAnswer<T>(answer: T): answer is Exclude<T, false | null | undefined> {
  return answer !== false && answer !== null && answer !== undefined
}
