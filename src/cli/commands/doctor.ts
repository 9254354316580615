import type { Command } from 'commander'
import type { Define } from '../command.js'

export function defineDoctor(program: Command, define: Define): void {
  void [program, define]
}
