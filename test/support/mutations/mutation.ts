/** One way to spoil a token, and what the log is to say about it. */
export type Mutation = readonly [name: string, token: string, reason: string]
