import { eventually } from './eventually.js'
import type { TestKeycard } from './keycard.js'

interface LogLine {
  readonly event?: string
  readonly reason?: string
}

/** What these nodes have logged so far: a place in their logs to listen from. */
export function bookmark(nodes: readonly TestKeycard[]) {
  const places = nodes.map((node) => ({ node, start: node.log.length }))
  return {
    /** Done when each of them has logged this event since then. */
    async heard(event: string, options?: { withinMs?: number }): Promise<void> {
      for (const { node, start } of places) {
        await eventually(
          `${event} in the log of ${node.url}`,
          () => events(node, start).includes(event),
          options
        )
      }
    }
  }
}

export function events(node: TestKeycard, start = 0): string[] {
  return node.log.slice(start).flatMap((line) => (JSON.parse(line) as LogLine).event ?? [])
}
