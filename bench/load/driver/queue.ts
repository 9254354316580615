/** First in, first out, at the same cost however many are in it. */
export function createQueue<T>() {
  let items: T[] = []
  let head = 0

  return {
    length: (): number => items.length - head,

    push(item: T): void {
      items.push(item)
    },

    /** Undefined where there is none. */
    shift(): T | undefined {
      const item = items[head]
      if (head < items.length) head++
      // What was taken out is let go of once it is the greater part.
      if (head > 1_024 && head * 2 > items.length) {
        items = items.slice(head)
        head = 0
      }
      return item
    }
  }
}
