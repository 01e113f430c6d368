import { sql } from 'kysely'
import type { DeliveryCall, Destination } from '../contracts/delivery.ts'
import type { Store } from './open.ts'
import { change, rows } from './prepared.ts'

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

/** The first tenant behind `after` that has open deliveries: one step down an index, however many it has. */
const nextOpenTenant = rows<{ after: string }, { tenant: string }>((db, { after }) =>
  db
    .selectFrom('outbox')
    .select('tenant')
    .where('settled_at', 'is', null)
    .where('tenant', '>', after)
    .orderBy('tenant')
    .limit(sql<number>`1`),
)

/** The tenants that have open deliveries, whether or not the configuration knows them. */
export function* tenantsWithOpen(store: Store): Generator<string> {
  for (let [next] = nextOpenTenant(store, { after: '' }); next;) {
    yield next.tenant
    ;[next] = nextOpenTenant(store, { after: next.tenant })
  }
}

/** Makes what waits for a moment due now: the settings that held it back are not in force any more. */
export const makeDue = change<{ tenant: string; destination: Destination; now: number }>(
  (db, { tenant, destination, now }) =>
    db
      .updateTable('outbox')
      .set({ not_before: now })
      .where('tenant', '=', tenant)
      .where('destination', '=', destination)
      .where('state', '=', 'pending')
      .where('head', '=', 1)
      .where('not_before', '>', now),
)
