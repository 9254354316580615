/**
 * Calls `late` once `ms` have passed and everything that had arrived by then was handled: a process
 * that was busy or paused must not take that for the server's silence. @returns what calls it off
 */
export function after(ms: number, late: () => void): () => void {
  let turn: NodeJS.Immediate | undefined
  const timer = setTimeout(() => {
    turn = setImmediate(late)
  }, ms)
  return () => {
    clearTimeout(timer)
    clearImmediate(turn)
  }
}
