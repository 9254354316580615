import type { Origin } from '../../src/audit/origin.js'

/** Where calls come from that a test makes without HTTP. */
export const nobody: Origin = { actor: { kind: 'nobody' }, ip: null }
