import type { Command } from 'commander'
import type { Define } from '../command.js'

export function defineMint(program: Command, define: Define): void {
  void [program, define]
}
