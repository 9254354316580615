import { sql } from 'drizzle-orm'
import {
  bigserial,
  check,
  customType,
  index,
  integer,
  pgEnum,
  pgTable,
  smallint,
  text,
  timestamp,
  uuid
} from 'drizzle-orm/pg-core'

const bytea = customType<{ data: Buffer; driverData: Buffer }>({ dataType: () => 'bytea' })
const instant = (name: string) => timestamp(name, { withTimezone: true, mode: 'date' })

/**
 * One row: what is true of the whole deployment. `generation` only rises; tokens and sessions of
 * an earlier generation are dead. `data_set` names the deny-list in Redis that counts: nodes decide
 * from no other. No name is used twice; null until there was one.
 */
export const deployment = pgTable(
  'deployment',
  {
    id: smallint('id').primaryKey().default(1),
    generation: integer('generation').notNull().default(1),
    createdAt: instant('created_at').notNull().defaultNow(),
    dataSet: text('data_set')
  },
  (table) => [check('deployment_is_one_row', sql`${table.id} = 1`)]
)

/** `email` is the canonical form: what is compared, counted and kept is the same string. */
export const users = pgTable('users', {
  id: uuid('id').primaryKey(),
  email: text('email').notNull().unique(),
  name: text('name').notNull(),
  passwordHash: text('password_hash').notNull(),
  roles: text('roles').array().notNull().default([]),
  /** Only rises. Tokens and sessions with a smaller one are dead. */
  tokenVersion: integer('token_version').notNull().default(1),
  emailVerifiedAt: instant('email_verified_at'),
  disabledAt: instant('disabled_at'),
  createdAt: instant('created_at').notNull(),
  updatedAt: instant('updated_at').notNull()
})

/** One row per session through all its rotations: refresh changes `counter`, never the row's identity. */
export const sessions = pgTable(
  'sessions',
  {
    id: uuid('id').primaryKey(),
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    /** The user's token version and the generation under which the session was opened. */
    version: integer('version').notNull(),
    generation: integer('generation').notNull(),
    /** The refresh token in force is the one that carries this number. */
    counter: integer('counter').notNull().default(0),
    salt: bytea('salt').notNull(),
    createdAt: instant('created_at').notNull(),
    lastUsedAt: instant('last_used_at').notNull(),
    expiresAt: instant('expires_at').notNull(),
    revokedAt: instant('revoked_at'),
    ip: text('ip').notNull(),
    userAgent: text('user_agent')
  },
  (table) => [
    index('sessions_user_id').on(table.userId),
    index('sessions_expires_at').on(table.expiresAt)
  ]
)

export const revocationKind = pgEnum('revocation_kind', ['token', 'session', 'user', 'everyone'])

/**
 * The durable log of revocations. `target` is a jti, a session id or a user id; `level` is the
 * smallest version (user) or generation (everyone) that is still good. A row decides about tokens
 * until `live_until`; after that every token it covers has expired.
 */
export const revocations = pgTable(
  'revocations',
  {
    id: uuid('id').primaryKey(),
    sequence: bigserial('sequence', { mode: 'number' }).notNull(),
    kind: revocationKind('kind').notNull(),
    target: uuid('target'),
    level: integer('level'),
    reason: text('reason').notNull(),
    /** The account that asked for it; null when the service itself did. */
    actorId: uuid('actor_id'),
    createdAt: instant('created_at').notNull(),
    liveUntil: instant('live_until').notNull(),
    /** When the deny-list that counts was known to hold it: that one and every later one do. */
    publishedAt: instant('published_at'),
    /** When it was first known that no node accepts any more what it covers. */
    confirmedAt: instant('confirmed_at')
  },
  (table) => [
    index('revocations_target').on(table.target, table.kind),
    index('revocations_live_until').on(table.liveUntil),
    index('revocations_unpublished')
      .on(table.sequence)
      .where(sql`${table.publishedAt} is null`)
  ]
)

export const nodeMode = pgEnum('node_mode', ['redis', 'database'])

/**
 * Every process that decides about tokens, and from what. A writer asks here whom it must convince.
 * `data_set` is the deny-list that a node may be deciding from; null while it asks Postgres.
 */
export const nodes = pgTable('nodes', {
  id: uuid('id').primaryKey(),
  mode: nodeMode('mode').notNull(),
  dataSet: text('data_set'),
  startedAt: instant('started_at').notNull(),
  heartbeatAt: instant('heartbeat_at').notNull()
})
