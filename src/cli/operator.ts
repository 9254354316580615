import { hostname, userInfo } from 'node:os'
import type { Origin } from '../audit/origin.js'

/** Who acts, for the audit: the account of the system and its machine. There is no address. */
export function operatorOrigin(): Origin {
  return { actor: { kind: 'operator', name: `${accountName()}@${hostname()}` }, ip: null }
}

/** In a container the account may have a number and no name. */
function accountName(): string {
  try {
    return userInfo().username
  } catch {
    return `uid-${process.getuid?.() ?? 'unknown'}`
  }
}
