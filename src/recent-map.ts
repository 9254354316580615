/**
 * A map that is bounded and keeps what is in use: two generations, of which the older one is dropped
 * whole, so that a hit writes nothing and nothing is searched for what to drop. Keys are kept as they
 * are: a slice of a long text keeps alive what it was cut from.
 *
 * @param limit how many entries at most; 0 keeps none
 */
export function createRecentMap<Value>(limit: number) {
  const perGeneration = Math.floor(limit / 2)
  let young = new Map<string, Value>()
  let old = new Map<string, Value>()

  function set(key: string, value: Value): void {
    if (perGeneration === 0) return
    if (young.size >= perGeneration) {
      old = young
      young = new Map()
    }
    young.set(key, value)
  }

  return {
    set,

    /** @param keepAs the key under which what is found goes on, if not the one that was asked for */
    get(key: string, keepAs?: (value: Value) => string): Value | undefined {
      const value = young.get(key)
      if (value !== undefined) return value
      const aged = old.get(key)
      if (aged !== undefined) set(keepAs?.(aged) ?? key, aged)
      return aged
    },

    clear: (): void => {
      young = new Map()
      old = new Map()
    },

    size: (): number => young.size + old.size
  }
}
