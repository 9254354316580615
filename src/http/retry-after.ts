/** The header that asks a client to come back in turn; none while nobody has to. */
export function retryAfterHeaders(spread: {
  readonly retryAfterSeconds: () => number
}): Record<string, string> {
  const seconds = spread.retryAfterSeconds()
  return seconds > 0 ? { 'retry-after': String(seconds) } : {}
}
