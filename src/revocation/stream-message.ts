import type { RevocationEvent } from './state.js'

/** An event as one entry of the stream: kind, target, level and end of life (ms), where it has them. */
export function encodeEvent(event: RevocationEvent): string {
  switch (event.kind) {
    case 'everyone':
      return `everyone||${event.level}|`
    case 'user':
      return `user|${event.target}|${event.level}|${event.liveUntil}`
    case 'session':
    case 'token':
      return `${event.kind}|${event.target}||${event.liveUntil}`
  }
}

/** @throws Error for what is no event: to pass it over could be to miss a revocation */
export function decodeEvent(message: string): RevocationEvent {
  const [kind = '', target = '', level = '', liveUntil = ''] = message.split('|')
  return decodeParts(kind, target, level, liveUntil)
}

/** The same of parts that are apart already. `liveUntil` in milliseconds. @throws Error likewise */
export function decodeParts(
  kind: string,
  target: string,
  levelText: string,
  liveUntilText: string
): RevocationEvent {
  const level = Number(levelText)
  const liveUntil = Number(liveUntilText)
  if (kind === 'everyone' && isLevel(levelText)) return { kind, level }
  if (target !== '' && isLevel(liveUntilText)) {
    if (kind === 'user' && isLevel(levelText)) return { kind, target, level, liveUntil }
    if (kind === 'session' || kind === 'token') return { kind, target, liveUntil }
  }
  throw new Error('A revocation is of a kind that this version does not understand')
}

function isLevel(text: string): boolean {
  return /^\d{1,15}$/.test(text)
}
