import { sql } from 'kysely'
import type { DeliveryCall, Destination, LeasedDelivery } from '../contracts/delivery.ts'
import { change, cursor, rows } from './prepared.ts'
import type { Store } from './open.ts'
import type { DeliveryState } from './schema.ts'

/** Adds a delivery; changes nothing when the tenant has one with that message ID for that destination. */
export const insertDelivery = change<{
  inboxId: number
  tenant: string
  destination: Destination
  call: DeliveryCall
  userKey: string
  messageId: string
  payload: string | null
  state: 'pending' | 'skipped' | 'dead'
  reason: string | null
  now: number
  settledAt: number | null
}>((db, delivery) =>
  db
    .insertInto('outbox')
    .values({
      inbox_id: delivery.inboxId,
      tenant: delivery.tenant,
      destination: delivery.destination,
      call: delivery.call,
      user_key: delivery.userKey,
      message_id: delivery.messageId,
      payload: delivery.payload,
      state: delivery.state,
      reason: delivery.reason,
      answer: null,
      attempts: 0,
      first_attempt_at: null,
      not_before: delivery.now,
      lease: null,
      leased_until: null,
      created_at: delivery.now,
      settled_at: delivery.settledAt,
    })
    .onConflict((conflict) => conflict.columns(['tenant', 'destination', 'message_id']).doNothing()),
)

/** A delivery that may be taken. */
export type DueDelivery = LeasedDelivery & { readonly userKey: string }

/**
 * The deliveries of a lane that are due, in order of arrival. One of a user is due only when every earlier one of that
 * user is: it waits while one is under way or waits to be tried again.
 */
export const dueDeliveries = cursor<{ tenant: string; destination: Destination; now: number }, DueDelivery>(
  (db, { tenant, destination, now }) =>
    db
      .selectFrom('outbox as delivery')
      .select([
        'id',
        'call',
        'user_key as userKey',
        'message_id as messageId',
        sql<string>`payload`.as('payload'),
        'attempts',
        'first_attempt_at as firstAttemptAt',
      ])
      .where('tenant', '=', tenant)
      .where('destination', '=', destination)
      .where('state', '=', 'pending')
      .where('not_before', '<=', now)
      .where((eb) =>
        eb.not(
          eb.exists(
            eb
              .selectFrom('outbox as earlier')
              .select('earlier.id')
              .whereRef('earlier.tenant', '=', 'delivery.tenant')
              .whereRef('earlier.destination', '=', 'delivery.destination')
              .whereRef('earlier.user_key', '=', 'delivery.user_key')
              .whereRef('earlier.id', '<', 'delivery.id')
              .where('earlier.state', 'in', ['pending', 'leased'])
              .where((or) => or.or([or('earlier.state', '=', 'leased'), or('earlier.not_before', '>', now)])),
          ),
        ),
      )
      .orderBy('id'),
)

/** Whether anything may be due: a look without a lock, for the many times when nothing is. */
export function hasDue(
  store: Store,
  lane: { tenant: string; destination: Destination; now: number },
): boolean {
  return anyDue(store, lane).length > 0
}

const anyDue = rows<{ tenant: string; destination: Destination; now: number }, { id: number }>(
  (db, { tenant, destination, now }) =>
    db
      .selectFrom('outbox')
      .select('id')
      .where('tenant', '=', tenant)
      .where('destination', '=', destination)
      .where('state', '=', 'pending')
      .where('not_before', '<=', now)
      .limit(sql<number>`1`),
)

/** Takes a delivery; changes nothing when it is not pending any more. */
export const leaseDelivery = change<{ id: number; lease: string; leasedUntil: number }>(
  (db, { id, lease, leasedUntil }) =>
    db
      .updateTable('outbox')
      .set({ state: 'leased', lease, leased_until: leasedUntil })
      .where('id', '=', id)
      .where('state', '=', 'pending'),
)

/** Settles a delivery for good; changes nothing when the lease has passed to somebody else. */
export const settleDelivery = change<{
  id: number
  lease: string
  state: 'delivered' | 'dead'
  reason: string | null
  answer: string | null
  now: number
}>((db, { id, lease, state, reason, answer, now }) =>
  db
    .updateTable('outbox')
    .set({
      state,
      reason,
      answer,
      attempts: sql`attempts + 1`,
      lease: null,
      leased_until: null,
      settled_at: now,
    })
    .where('id', '=', id)
    .where('state', '=', 'leased')
    .where('lease', '=', lease),
)

/** Puts a delivery back after a failed attempt, not to be tried before `notBefore`. */
export const retryDelivery = change<{
  id: number
  lease: string
  reason: string
  now: number
  notBefore: number
}>((db, { id, lease, reason, now, notBefore }) =>
  db
    .updateTable('outbox')
    .set({
      state: 'pending',
      reason,
      attempts: sql`attempts + 1`,
      first_attempt_at: sql`coalesce(first_attempt_at, ${now})`,
      not_before: notBefore,
      lease: null,
      leased_until: null,
    })
    .where('id', '=', id)
    .where('state', '=', 'leased')
    .where('lease', '=', lease),
)

/** Puts a delivery back as if it had not been tried. */
export const returnDelivery = change<{ id: number; lease: string; reason: string }>(
  (db, { id, lease, reason }) =>
    db
      .updateTable('outbox')
      .set({ state: 'pending', reason, lease: null, leased_until: null })
      .where('id', '=', id)
      .where('state', '=', 'leased')
      .where('lease', '=', lease),
)

/** Extends a lease that is still held. */
export const renewLease = change<{ lease: string; leasedUntil: number }>((db, { lease, leasedUntil }) =>
  db
    .updateTable('outbox')
    .set({ leased_until: leasedUntil })
    .where('state', '=', 'leased')
    .where('lease', '=', lease),
)

/** Puts back what was leased until `now` or before: whoever held it is gone. */
export const returnExpiredLeases = change<{ now: number }>((db, { now }) =>
  db
    .updateTable('outbox')
    .set({ state: 'pending', lease: null, leased_until: null })
    .where('state', '=', 'leased')
    .where('leased_until', '<=', now),
)

export interface LaneCounts {
  /** Pending or under way. */
  readonly open: number
  /** When the oldest open one was made; null when none is open. */
  readonly oldestOpen: number | null
  readonly dead: number
  /** When the last one was given up; null when none was. */
  readonly lastDead: number | null
}

/** How many deliveries of a lane are open or dead. Reads indexes only, but for two rows. */
export const laneCounts = rows<{ tenant: string; destination: Destination }, LaneCounts>(
  (db, { tenant, destination }) => {
    const lane = (state: DeliveryState) =>
      db
        .selectFrom('outbox')
        .where('tenant', '=', tenant)
        .where('destination', '=', destination)
        .where('state', '=', state)
    const count = (state: DeliveryState) => lane(state).select((eb) => eb.fn.countAll<number>().as('count'))
    const oldest = (state: DeliveryState) =>
      lane(state)
        .select('created_at')
        .orderBy('id')
        .limit(sql<number>`1`)
    return db.selectNoFrom([
      sql<number>`${count('pending')} + ${count('leased')}`.as('open'),
      sql<number | null>`min(coalesce(${oldest('pending')}, ${oldest('leased')}),
        coalesce(${oldest('leased')}, ${oldest('pending')}))`.as('oldestOpen'),
      sql<number>`${count('dead')}`.as('dead'),
      sql<number | null>`${lane('dead').select((eb) => eb.fn.max('settled_at').as('at'))}`.as('lastDead'),
    ])
  },
)

export interface DeliverySummary {
  readonly id: number
  readonly tenant: string
  readonly destination: Destination
  readonly call: DeliveryCall
  readonly state: DeliveryState
  readonly reason: string | null
  readonly attempts: number
  readonly createdAt: number
  readonly settledAt: number | null
}

/** The newest deliveries, without what they say. */
export const newestDeliveries = rows<{ limit: number }, DeliverySummary>((db, { limit }) =>
  db
    .selectFrom('outbox')
    .select([
      'id',
      'tenant',
      'destination',
      'call',
      'state',
      'reason',
      'attempts',
      'created_at as createdAt',
      'settled_at as settledAt',
    ])
    .orderBy('id', 'desc')
    .limit(limit),
)
