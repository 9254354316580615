import type { Command } from 'commander'

/** What every command that revokes takes. */
export interface RevocationOptions {
  readonly reason?: string
  readonly dryRun?: boolean
  readonly wait?: boolean
  readonly yes?: boolean
}

export function waitOption(command: Command): Command {
  return command.option('--wait', 'go on waiting until it is true on every node')
}

export function yesOption(command: Command): Command {
  return command.option('--yes', 'confirm beforehand what would otherwise be typed')
}

export function reasonOption(command: Command): Command {
  return command.option('--reason <text>', 'why, for the audit; asked for on a terminal')
}

export function revocationOptions(command: Command): Command {
  reasonOption(command).option('--dry-run', 'count what would be hit, and do nothing')
  return yesOption(waitOption(command))
}
