import { sql } from 'drizzle-orm'
import {
  bigserial,
  check,
  customType,
  index,
  integer,
  jsonb,
  pgEnum,
  pgTable,
  smallint,
  text,
  timestamp,
  uniqueIndex,
  uuid
} from 'drizzle-orm/pg-core'

const bytea = customType<{ data: Buffer; driverData: Buffer }>({ dataType: () => 'bytea' })
/** A transaction's number, which never wraps. Text, as it outgrows a double. */
const xid8 = customType<{ data: string }>({ dataType: () => 'xid8' })
/** Which transactions had ended at a moment, in the text form of pg_current_snapshot(). */
const snapshot = customType<{ data: string }>({ dataType: () => 'pg_snapshot' })
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
    dataSet: text('data_set'),
    /** After everyone or many were logged out: until when those who come back are spread. */
    loginsSpreadUntil: instant('logins_spread_until')
  },
  (table) => [check('deployment_is_one_row', sql`${table.id} = 1`)]
)

/** `email` is the canonical form: what is compared, counted and kept is the same string. */
export const users = pgTable(
  'users',
  {
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
  },
  // For the search by how an e-mail or a name begins.
  (table) => [
    index('users_email_prefix').on(table.email.op('text_pattern_ops')),
    index('users_name_prefix').on(sql`lower(${table.name}) text_pattern_ops`)
  ]
)

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
    userAgent: text('user_agent'),
    /** The `kid` of every key that ever signed an access token of it. */
    keyIds: text('key_ids').array().notNull().default([]),
    /** The transaction that opened it; null of one that was opened by an earlier version. */
    openedXid: xid8('opened_xid').default(sql`pg_current_xact_id()`)
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
    /**
     * The transaction that wrote it. Sequence numbers become visible out of order, as a lower one may
     * be committed later, so what was seen is a snapshot of transactions and not a number.
     */
    xid: xid8('xid')
      .notNull()
      .default(sql`pg_current_xact_id()`),
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
    uniqueIndex('revocations_live_until').on(table.liveUntil, table.sequence),
    index('revocations_xid').on(table.xid),
    index('revocations_unpublished')
      .on(table.sequence)
      .where(sql`${table.publishedAt} is null`)
  ]
)

export const nodeMode = pgEnum('node_mode', ['redis', 'database', 'replica'])

/**
 * Every process that decides about tokens, and from what. A writer asks here whom it must convince.
 * `data_set` is the one in Redis that a node may be deciding from or following; null while it asks
 * Postgres, or follows Postgres.
 */
export const nodes = pgTable('nodes', {
  id: uuid('id').primaryKey(),
  mode: nodeMode('mode').notNull(),
  dataSet: text('data_set'),
  /** Rises with every change of mode, so that a change that arrives late takes nothing back. */
  epoch: integer('epoch').notNull().default(0),
  /** What its replica holds: every revocation of a transaction that this snapshot sees. */
  applied: snapshot('applied'),
  /** How long it may decide from its replica after a read of its feed was sent, in milliseconds. */
  leaseMs: integer('lease_ms').notNull().default(500),
  /** The client on whose credentials another service's node registered; null for our own. */
  clientId: uuid('client_id'),
  startedAt: instant('started_at').notNull(),
  heartbeatAt: instant('heartbeat_at').notNull()
})

/**
 * Services that may introspect and revoke tokens, and run a guard. The secret has the entropy of a
 * key, so a plain SHA-256 of it is enough. A revoked client stays, for the record.
 */
export const clients = pgTable('clients', {
  id: uuid('id').primaryKey(),
  name: text('name').notNull(),
  secretHash: bytea('secret_hash').notNull(),
  createdAt: instant('created_at').notNull(),
  createdBy: uuid('created_by'),
  revokedAt: instant('revoked_at')
})

export const auditOutcome = pgEnum('audit_outcome', ['success', 'refused'])

/**
 * Who did what to whom. A trigger lets nobody change or delete a row: only its batch, the newest, is
 * written once, when it is sealed, and a pruned batch's rows may go. `id` is a UUIDv7, so it sorts by time.
 */
export const auditEvents = pgTable(
  'audit_events',
  {
    id: uuid('id').primaryKey(),
    /** The batch that seals it; null until then. */
    batch: integer('batch'),
    occurredAt: instant('occurred_at').notNull(),
    action: text('action').notNull(),
    /**
     * What failed is not audited: it was rolled back with its event, or its revocation is on record. A
     * session may be opened whose login was answered 503: the answer of Postgres came too late.
     */
    outcome: auditOutcome('outcome').notNull(),
    /** Of a user or client the id, of an operator at a terminal the name; null for nobody in particular. */
    actorKind: text('actor_kind').notNull(),
    actor: text('actor'),
    subjectKind: text('subject_kind'),
    subject: text('subject'),
    /** The account that it is about, whatever the subject is. No reference: accounts go, this stays. */
    userId: uuid('user_id'),
    ip: text('ip'),
    reason: text('reason'),
    details: jsonb('details').$type<Readonly<Record<string, unknown>>>()
  },
  (table) => [
    index('audit_events_actor').on(table.actor, table.id),
    index('audit_events_subject').on(table.subject, table.id),
    index('audit_events_user').on(table.userId, table.id),
    index('audit_events_action').on(table.action, table.id),
    index('audit_events_batch').on(table.batch, table.id),
    index('audit_events_unsealed')
      .on(table.id)
      .where(sql`${table.batch} is null`)
  ]
)

/**
 * The chain: each batch's hash covers its events, in the order of their ids, and the hash before it.
 * `pruned_at` says that its events are gone because they were old; the hashes stay. Triggers let
 * nobody do more than add the next batch, and prune the oldest ones that are not pruned.
 */
export const auditBatches = pgTable('audit_batches', {
  number: integer('number').primaryKey(),
  sealedAt: instant('sealed_at').notNull(),
  events: integer('events').notNull(),
  firstEventAt: instant('first_event_at').notNull(),
  lastEventAt: instant('last_event_at').notNull(),
  eventsHash: bytea('events_hash').notNull(),
  previousHash: bytea('previous_hash').notNull(),
  hash: bytea('hash').notNull(),
  prunedAt: instant('pruned_at')
})

export const incidentStatus = pgEnum('incident_status', ['running', 'stopped', 'finished'])

/** One pull of the incident switch: whom it hits, how far it is, and when it was true everywhere. */
export const incidents = pgTable('incidents', {
  id: uuid('id').primaryKey(),
  /** Everyone, or which sessions; and who is spared. */
  target: jsonb('target').notNull(),
  reason: text('reason').notNull(),
  actorKind: text('actor_kind').notNull(),
  actor: text('actor'),
  /** Only sessions that were opened before this moment are hit: not those of people who log in again. */
  startedAt: instant('started_at').notNull(),
  /** The transaction that started it: what was opened by an earlier one was opened before, by any clock. */
  startedXid: xid8('started_xid').default(sql`pg_current_xact_id()`),
  status: incidentStatus('status').notNull(),
  /** The last session that was looked at; a resumed run goes on after it. */
  position: uuid('position'),
  sessionsExpected: integer('sessions_expected').notNull(),
  sessionsRevoked: integer('sessions_revoked').notNull().default(0),
  batches: integer('batches').notNull().default(0),
  /** Whoever works on it now says so again and again; another may take over when that is old. */
  workerId: uuid('worker_id'),
  heartbeatAt: instant('heartbeat_at'),
  finishedAt: instant('finished_at'),
  /** When no node accepted any more what was hit, and how that is known. */
  receipt: jsonb('receipt')
})
