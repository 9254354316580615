import type { Conviction } from './conviction.js'
import type { RevocationKind } from './decision.js'

/** Is told what the service does, for metrics. Must not throw. */
export interface RevocationObserver {
  /** A revocation was confirmed everywhere, so long after it was recorded. */
  readonly confirmed: (kind: RevocationKind, guarantee: Conviction, tookMs: number) => void
  /** The deadline passed before a revocation was confirmed. */
  readonly unconfirmed: (kind: RevocationKind) => void
  /** This node began to decide from its replica, or ceased to. */
  readonly turned: (decidesFromReplica: boolean) => void
}

/** Passes everything on to whoever observes by then; nobody, at first. */
export function createObserverSlot(): RevocationObserver & {
  readonly set: (observer: RevocationObserver) => void
} {
  let observer: RevocationObserver | undefined
  return {
    confirmed: (kind, guarantee, tookMs) => observer?.confirmed(kind, guarantee, tookMs),
    unconfirmed: (kind) => observer?.unconfirmed(kind),
    turned: (decidesFromReplica) => observer?.turned(decidesFromReplica),
    set(next) {
      observer = next
    }
  }
}
