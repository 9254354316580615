import type { Readable } from 'node:stream'

/** The last lines that `stream` gave, for the message that says why a program ended. */
export function keepTail(stream: Readable | null, maxLines = 20): { text: () => string } {
  let kept = ''
  stream?.setEncoding('utf8')
  stream?.on('data', (chunk: string) => {
    kept = (kept + chunk)
      .split('\n')
      .slice(-maxLines - 1)
      .join('\n')
  })
  return { text: () => kept.trim() }
}
