import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { Socket } from 'node:net'
import { endWithRun } from './end-with-run.js'

// Its stdin ends with the process that started it, however that ends. The wait is bounded because a
// killed orphan stays visible where nobody collects it.
const script = `
cat > /dev/null
kill -CONT "$1"; kill -s "$2" "$1"
for round in $(seq 50); do kill -0 "$1" || break; sleep 0.1; done
rm -rf "$3"
`

/** Call it off once the server and its folder are gone by themselves. */
export interface Reaper {
  dismiss: () => Promise<void>
}

/**
 * Makes sure that a server started by this process doesn't outlive it, even when this process is
 * killed: the server `pid` then gets `signal`, and its `folder` is removed.
 */
export function reapAfterUs(pid: number, signal: 'QUIT' | 'KILL' | 'TERM', folder: string): Reaper {
  endWithRun()
  const child = spawn('sh', ['-c', script, 'reaper', String(pid), signal, folder], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true
  })
  // It must not keep a test from ending.
  child.unref()
  if (child.stdin instanceof Socket) child.stdin.unref()
  return {
    async dismiss() {
      if (child.exitCode !== null || child.signalCode !== null) return
      child.ref()
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
  }
}
