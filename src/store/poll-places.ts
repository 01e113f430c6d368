import { sql } from 'kysely'
import type { Store } from './open.ts'
import { change, rows } from './prepared.ts'

/** How far the polling of a tenant has come. Moments in ms since 1970. */
export interface PollPlace {
  /** When the tenant was first to be polled. */
  readonly begunAt: number
  /** All that Refiner had at that moment has been read. */
  readonly seenUntil: number
  /** When the days before were last read again. */
  readonly sweptAt: number
  /** Null before the first poll that came to its end. */
  readonly lastSuccessAt: number | null
  /** Interactions that no webhook had brought. */
  readonly missed: number
  readonly lastMissedAt: number | null
}

const place = rows<{ tenant: string }, PollPlace>((db, { tenant }) =>
  db
    .selectFrom('poll_places')
    .select([
      'begun_at as begunAt',
      'seen_until as seenUntil',
      'swept_at as sweptAt',
      'last_success_at as lastSuccessAt',
      'missed',
      'last_missed_at as lastMissedAt',
    ])
    .where('tenant', '=', tenant),
)

/** Null for a tenant that has never been polled. */
export function pollPlace(store: Store, tenant: string): PollPlace | null {
  return place(store, { tenant })[0] ?? null
}

/** Begins at a moment; changes nothing where it has begun. */
export const beginPolling = change<{ tenant: string; now: number }>((db, { tenant, now }) =>
  db
    .insertInto('poll_places')
    .values({
      tenant,
      begun_at: now,
      seen_until: now,
      swept_at: now,
      last_success_at: null,
      missed: sql`0`,
      last_missed_at: null,
    })
    .onConflict((conflict) => conflict.column('tenant').doNothing()),
)

/** All that there was at `seenUntil` has been read. A clock that was ahead when it began does not keep it from beginning. */
export const pollRead = change<{
  tenant: string
  begunAt: number
  seenUntil: number
  sweptAt: number
  now: number
}>((db, { tenant, begunAt, seenUntil, sweptAt, now }) =>
  db
    .updateTable('poll_places')
    .set({
      begun_at: sql`min(begun_at, ${begunAt})`,
      seen_until: seenUntil,
      swept_at: sweptAt,
      last_success_at: now,
    })
    .where('tenant', '=', tenant),
)

export const countMissed = change<{ tenant: string; count: number; now: number }>(
  (db, { tenant, count, now }) =>
    db
      .updateTable('poll_places')
      .set({ missed: sql`missed + ${count}`, last_missed_at: now })
      .where('tenant', '=', tenant),
)

/**
 * Says that a webhook brought, after all, what polling had brought: it comes late, or waited for the mapping when polling
 * came. To be called within a transaction.
 */
export function webhookCame(store: Store, inboxId: number): void {
  if (takeForWebhook(store, { id: inboxId }) > 0) uncountMissed(store, { id: inboxId })
}

const takeForWebhook = change<{ id: number }>((db, { id }) =>
  db.updateTable('inbox').set({ origin: 'webhook' }).where('id', '=', id).where('origin', '=', 'poll'),
)

const uncountMissed = change<{ id: number }>((db, { id }) =>
  db
    .updateTable('poll_places')
    .set({
      missed: sql`max(missed - 1, 0)`,
      last_missed_at: (eb) =>
        eb
          .selectFrom('inbox')
          .select(sql<number | null>`max(received_at)`.as('at'))
          .whereRef('inbox.tenant', '=', 'poll_places.tenant')
          .where('origin', '=', 'poll'),
    })
    .where('tenant', '=', (eb) => eb.selectFrom('inbox').select('tenant').where('id', '=', id)),
)

/** What brought the item that a message to Segment came of. */
export const broughtBy = rows<
  { tenant: string; messageId: string },
  { inboxId: number; origin: 'webhook' | 'poll' | 'backfill' }
>((db, { tenant, messageId }) =>
  db
    .selectFrom('outbox')
    .innerJoin('inbox', 'inbox.id', 'outbox.inbox_id')
    .select(['inbox.id as inboxId', 'inbox.origin'])
    .where('outbox.tenant', '=', tenant)
    .where('outbox.destination', '=', 'segment')
    .where('outbox.message_id', '=', messageId),
)

/** Adds an item that polling found; changes nothing when it has been added before. */
export const insertPolled = change<{
  tenant: string
  dedupKey: string
  payload: string
  receivedAt: number
  origin: 'webhook' | 'poll'
}>((db, item) =>
  db
    .insertInto('inbox')
    .values({
      tenant: item.tenant,
      source: 'refiner_webhook',
      dedup_key: item.dedupKey,
      payload: item.payload,
      received_at: item.receivedAt,
      state: 'received',
      copies: sql`0`,
      replays: sql`0`,
      people_kept: 0,
      origin: item.origin,
    })
    .onConflict((conflict) => conflict.columns(['tenant', 'source', 'dedup_key']).doNothing()),
)

const withPrefix = rows<{ tenant: string; from: string; to: string }, { id: number }>(
  (db, { tenant, from, to }) =>
    db
      .selectFrom('outbox')
      .select('id')
      .where('tenant', '=', tenant)
      .where('destination', '=', 'segment')
      .where('message_id', '>=', from)
      .where('message_id', '<', to)
      .limit(sql<number>`1`),
)

/** Whether the tenant has a message to Segment whose ID begins like that. */
export function hasMessages(store: Store, tenant: string, prefix: string): boolean {
  return withPrefix(store, { tenant, from: prefix, to: afterAll(prefix) }).length > 0
}

const toldOfUser = rows<{ tenant: string; from: string; to: string; userId: string }, { id: number }>(
  (db, { tenant, from, to, userId }) =>
    db
      .selectFrom('outbox')
      .select('id')
      .where('tenant', '=', tenant)
      .where('destination', '=', 'segment')
      .where('message_id', '>=', from)
      .where('message_id', '<', to)
      .where((eb) => eb.or([eb('state', '<>', 'skipped'), eb('user_key', '=', userId)]))
      .limit(sql<number>`1`),
)

/**
 * Whether the messages that begin like that were made. Not when all there is was skipped while nobody knew whose it is:
 * then a user ID is news.
 */
export function isTold(store: Store, tenant: string, prefix: string, userId: string | null): boolean {
  if (userId === null) return hasMessages(store, tenant, prefix)
  return toldOfUser(store, { tenant, from: prefix, to: afterAll(prefix), userId }).length > 0
}

function afterAll(prefix: string): string {
  return `${prefix}\u{10ffff}`
}
