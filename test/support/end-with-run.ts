let isWatching = false

/**
 * Ends this test file when tap is gone: tap tells it through the channel between them, and a test that
 * hangs would keep its servers for ever. Does nothing where the file runs by itself.
 */
export function endWithRun(): void {
  const { channel } = process
  if (isWatching || channel == null) return
  isWatching = true
  process.once('disconnect', () => process.exit(1))
  // The listener alone would keep a finished test from ending.
  channel.unref()
}
