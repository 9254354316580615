import type { ExitCode } from './exit-codes.js'

/** What a command found or did: for scripts as `value`, one JSON document; for people as `text`. */
export interface Report {
  readonly value: unknown
  readonly text: string
  /** 0 unless it says otherwise. */
  readonly exit?: ExitCode
}
