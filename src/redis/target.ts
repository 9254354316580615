/** A server, or a sentinel. */
export interface RedisAddress {
  readonly host: string
  readonly port: number
}

/** Undefined where none are needed. */
export interface RedisCredentials {
  readonly username: string | undefined
  readonly password: string | undefined
}

/** One server, or one address that leads to whoever is the primary. */
export interface SingleRedis {
  readonly kind: 'single'
  /** `redis://` or `rediss://`. */
  readonly url: string
}

export interface ClusterRedis extends RedisCredentials {
  readonly kind: 'cluster'
  /** Some of its nodes, by which the others are found. */
  readonly nodes: readonly RedisAddress[]
  readonly tls: boolean
}

/** The primary that sentinels name. The credentials are those of the servers. */
export interface SentinelRedis extends RedisCredentials {
  readonly kind: 'sentinel'
  readonly sentinels: readonly RedisAddress[]
  /** What the sentinels call the primary and its replicas. */
  readonly name: string
  readonly db: number
  /** To the sentinels and to the servers. */
  readonly tls: boolean
  readonly sentinelUsername: string | undefined
  readonly sentinelPassword: string | undefined
}

/** Which Redis to talk to. */
export type RedisTarget = SingleRedis | ClusterRedis | SentinelRedis
