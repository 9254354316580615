/**
 * Module hooks that put a lying module in an honest one's place. They are loaded by `tell-lie.ts`,
 * so that nothing in src/ knows of them.
 */
import type { LoadHook, InitializeHook } from 'node:module'

/** What it says in place of a module, which stays within reach under another URL. */
interface Saying {
  readonly of: RegExp
  readonly source: (honest: string) => string
}

const lies: Record<string, readonly Saying[]> = {
  // Its feed would be given up as late as well, and the node saved by that.
  'the lease never ends': [
    {
      of: /\/revocation\/lease\.[jt]s$/,
      source: (honest) => `
      import { createLease as createHonestLease } from ${honest}
      export function createLease(options) {
        const lease = createHonestLease(options)
        let isHeld = false
        const renew = (since) => { isHeld = true; lease.renew(since) }
        return { ...lease, renew, holds: () => isHeld }
      }`
    },
    {
      of: /\/redis\/client\.[jt]s$/,
      source: (honest) => `
        import { createFeedClient as createHonestClient } from ${honest}
        export * from ${honest}
        export function createFeedClient(target) {
          return createHonestClient(target, { commandTimeoutMs: 60_000 })
        }`
    }
  ],
  'an empty Redis is trusted': [
    {
      of: /\/revocation\/deny-list-scripts\.[jt]s$/,
      source: (honest) => `
      export * from ${honest}
      export const readScript = \`
        local generation = redis.call('GET', KEYS[2]) or '0'
        return {1, tonumber(generation), redis.call('MGET', unpack(KEYS, 3))}\``
    }
  ]
}

let lie: readonly Saying[] | undefined

export const initialize: InitializeHook<string> = (name) => {
  lie = lies[name]
  if (lie === undefined) throw new RangeError(`There is no such lie: ${name}`)
}

export const load: LoadHook = async (url, context, next) => {
  const saying = lie?.find(({ of }) => of.test(url))
  if (saying === undefined) return await next(url, context)
  const source = saying.source(JSON.stringify(`${url}?honest`))
  return { format: 'module', source, shortCircuit: true }
}
