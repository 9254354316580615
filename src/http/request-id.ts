import { uuidv7 } from 'uuidv7'

/** Unique on every node and sorted by time. Clients cannot choose it: it goes into the log. */
export const newRequestId = (): string => uuidv7()
