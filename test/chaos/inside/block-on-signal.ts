/**
 * Loaded into a node by `--import`: at SIGUSR2 its event loop stands still, as in a long garbage
 * collection or a heavy computation. So much, in ms:
 */
const blockMs = 1_300

process.on('SIGUSR2', () => {
  const until = performance.now() + blockMs
  while (performance.now() < until);
})
