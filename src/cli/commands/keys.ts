import type { Command } from 'commander'
import type { Define } from '../command.js'

export function defineKeys(program: Command, define: Define): void {
  void [program, define]
}
