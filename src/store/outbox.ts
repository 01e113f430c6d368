import { sql } from 'kysely'
import type { DeliveryCall, Destination } from '../contracts/delivery.ts'
import { change, rows } from './prepared.ts'
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
  detail: string | null
  notes: string | null
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
      detail: delivery.detail,
      notes: delivery.notes,
      answer: null,
      head: sql`iif(${delivery.state} = 'pending' and not exists ${db
        .selectFrom('outbox as open')
        .select('open.id')
        .where('open.tenant', '=', delivery.tenant)
        .where('open.destination', '=', delivery.destination)
        .where('open.user_key', '=', delivery.userKey)
        .where('open.settled_at', 'is', null)}, 1, 0)`,
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
      head: 0,
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

/** Puts a delivery back as if it had not been tried, not due before `notBefore`. */
export const returnDelivery = change<{ id: number; lease: string; reason: string; notBefore: number }>(
  (db, { id, lease, reason, notBefore }) =>
    db
      .updateTable('outbox')
      .set({ state: 'pending', reason, not_before: notBefore, lease: null, leased_until: null })
      .where('id', '=', id)
      .where('state', '=', 'leased')
      .where('lease', '=', lease),
)

/**
 * Puts the user's first open delivery at the head, after the one that was there is settled. Only what has failed has a
 * reason to wait; the moment that the others were given may be one of a clock that was ahead.
 */
export const promoteNext = change<{ tenant: string; destination: Destination; userKey: string; now: number }>(
  (db, { tenant, destination, userKey, now }) =>
    db
      .updateTable('outbox')
      .set({ head: 1, not_before: sql`iif(attempts = 0, min(not_before, ${now}), not_before)` })
      .where('head', '=', 0)
      .where('id', '=', (eb) =>
        eb
          .selectFrom('outbox as open')
          .select('open.id')
          .where('open.tenant', '=', tenant)
          .where('open.destination', '=', destination)
          .where('open.user_key', '=', userKey)
          .where('open.settled_at', 'is', null)
          .orderBy('open.id')
          .limit(sql<number>`1`),
      ),
)

/** Gives a head to users with open deliveries and none: without one they would wait for ever. Should find nothing. */
export const mendHeads = change<{}>((db) =>
  db
    .updateTable('outbox')
    .set({ head: 1 })
    .where('id', 'in', (eb) =>
      eb
        .selectFrom('outbox as open')
        .select(sql<number>`min(open.id)`.as('id'))
        .where('open.settled_at', 'is', null)
        .where((not) =>
          not.not(
            not.exists(
              not
                .selectFrom('outbox as first')
                .select('first.id')
                .whereRef('first.tenant', '=', 'open.tenant')
                .whereRef('first.destination', '=', 'open.destination')
                .whereRef('first.user_key', '=', 'open.user_key')
                .where('first.head', '=', 1),
            ),
          ),
        )
        .groupBy(['open.tenant', 'open.destination', 'open.user_key']),
    ),
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
    const lane = db.selectFrom('outbox').where('tenant', '=', tenant).where('destination', '=', destination)
    const open = lane.where('settled_at', 'is', null)
    const dead = lane.where('state', '=', 'dead')
    const count = sql<number>`count(*)`.as('count')
    const first = db
      .selectFrom('outbox')
      .select('created_at')
      .where('id', '=', open.select(sql<number>`min(id)`.as('id')))
    return db.selectNoFrom([
      sql<number>`${open.select(count)}`.as('open'),
      sql<number | null>`${first}`.as('oldestOpen'),
      sql<number>`${dead.select(count)}`.as('dead'),
      sql<number | null>`${dead.select(sql`max(settled_at)`.as('at'))}`.as('lastDead'),
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
