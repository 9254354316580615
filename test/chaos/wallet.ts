import type { AccessToken } from './history.js'
import type { Random } from './random.js'
import type { Pair } from './recorder.js'

const keptAlive = 200
const keptDead = 400
/** How many of the youngest dead are presented most often. */
const freshlyDead = 40

/** The tokens that are kept to be presented, whether or not they are still good. */
export interface Wallet {
  readonly keep: (pair: Pair) => void
  /** Moves what a revocation covers to the dead. @returns a few of them */
  readonly bury: (isCovered: (token: AccessToken) => boolean) => Pair[]
  /** Mostly one that was revoked not long ago. */
  readonly draw: (random: Random) => Pair | undefined
  readonly isLive: (pair: Pair) => boolean
  /** One that was not revoked, as far as is known here. */
  readonly drawLive: (random: Random) => Pair | undefined
}

export function createWallet(): Wallet {
  let live: Pair[] = []
  let dead: Pair[] = []

  return {
    keep(pair) {
      live = [...live, pair].slice(-keptAlive)
    },
    bury(isCovered) {
      const buried = live.filter(({ access }) => isCovered(access.facts))
      live = live.filter(({ access }) => !isCovered(access.facts))
      dead = [...dead, ...buried].slice(-keptDead)
      return buried.slice(-2)
    },
    draw(random) {
      const from = random.chance(0.7) ? dead.slice(-freshlyDead) : random.pick([live, dead])
      return from.length === 0 ? undefined : random.pick(from)
    },
    isLive: (pair) => live.includes(pair),
    drawLive: (random) => (live.length === 0 ? undefined : random.pick(live))
  }
}
