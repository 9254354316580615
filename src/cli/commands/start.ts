import type { Command } from 'commander'
import type { Define } from '../command.js'

/** `keycard start`: the service itself, until a signal stops it. */
export function defineStart(program: Command, define: Define): void {
  define(program, {
    name: 'start',
    summary: 'start the service',
    description:
      'Starts the service and logs to stdout, as npm start does, until a signal stops it.',
    reports: false,
    async run() {
      await import('../../server.js')
      return undefined
    }
  })
}
