import { sql } from 'kysely'
import type { DeliveryCall, Destination, LeasedDelivery } from '../contracts/delivery.ts'
import type { Store } from './open.ts'
import { change, insertion, rows } from './prepared.ts'

/**
 * Adds a delivery, and answers its ID; null, and nothing is changed, when the tenant has one with that message ID for
 * that destination.
 */
export const insertDelivery = insertion<{
  inboxId: number
  tenant: string
  destination: Destination
  call: DeliveryCall
  userKey: string
  messageId: string
  payload: string | null
  state: 'pending' | 'leased' | 'skipped' | 'dead'
  reason: string | null
  detail: string | null
  notes: string | null
  /** 1 when the user has nothing else open at the destination: see `hasOpen`. */
  head: 0 | 1
  lease: string | null
  leasedUntil: number | null
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
      head: delivery.head,
      attempts: 0,
      first_attempt_at: null,
      not_before: delivery.now,
      lease: delivery.lease,
      leased_until: delivery.leasedUntil,
      created_at: delivery.now,
      settled_at: delivery.settledAt,
    })
    .onConflict((conflict) => conflict.columns(['tenant', 'destination', 'message_id']).doNothing()),
)

const openOfUser = rows<{ tenant: string; destination: Destination; userKey: string }, { id: number }>(
  (db, { tenant, destination, userKey }) =>
    db
      .selectFrom('outbox')
      .select('id')
      .where('tenant', '=', tenant)
      .where('destination', '=', destination)
      .where('user_key', '=', userKey)
      .where('settled_at', 'is', null)
      .limit(sql<number>`1`),
)

/** Whether the user has something open at the destination, so that what comes now waits behind it. */
export function hasOpen(store: Store, tenant: string, destination: Destination, userKey: string): boolean {
  return openOfUser(store, { tenant, destination, userKey }).length > 0
}

/**
 * Takes the heads of these IDs, a JSON array. What follows a head is taken with it: only a head can be due, so nobody
 * else comes to it. Leaves alone what is not pending any more.
 */
export const leaseHeads = change<{ ids: string; lease: string; leasedUntil: number }>(
  (db, { ids, lease, leasedUntil }) =>
    db
      .updateTable('outbox')
      .set({ state: 'leased', lease, leased_until: leasedUntil })
      .where('id', 'in', sql<number>`(select value from json_each(${ids}))`)
      .where('state', '=', 'pending')
      .where('head', '=', 1),
)

/** The users, by key, whose heads are still under the lease: what is known of the others was overtaken. */
export function usersUnder(store: Store, lease: string): ReadonlySet<string> {
  return new Set(leasedUsers(store, { lease }).map(({ userKey }) => userKey))
}

const leasedUsers = rows<{ lease: string }, { userKey: string }>((db, { lease }) =>
  db
    .selectFrom('outbox')
    .select('user_key as userKey')
    .where('state', '=', 'leased')
    .where('lease', '=', lease),
)

const messageIdOf = rows<{ id: number }, { messageId: string }>((db, { id }) =>
  db.selectFrom('outbox').select('message_id as messageId').where('id', '=', id),
)

/** Whether the delivery of that ID is the one that was read before. */
export function isStill(store: Store, { id, messageId }: Pick<LeasedDelivery, 'id' | 'messageId'>): boolean {
  return messageIdOf(store, { id })[0]?.messageId === messageId
}

/** What is open, and under no other lease. */
const stillOurs = (lease: string) =>
  sql<boolean>`((state = 'leased' and lease = ${lease}) or (state = 'pending' and head = 0))`

/** Settles these, a JSON array of IDs, as delivered. All of them of users under the lease. */
export const settleDelivered = change<{ ids: string; lease: string; now: number }>(
  (db, { ids, lease, now }) =>
    db
      .updateTable('outbox')
      .set({
        state: 'delivered',
        reason: null,
        answer: null,
        head: 0,
        attempts: sql`attempts + 1`,
        lease: null,
        leased_until: null,
        settled_at: now,
      })
      .where('id', 'in', sql<number>`(select value from json_each(${ids}))`)
      .where(stillOurs(lease)),
)

/** Gives a delivery up, of a user under the lease. */
export const settleDead = change<{
  id: number
  lease: string
  reason: string
  answer: string | null
  now: number
}>((db, { id, lease, reason, answer, now }) =>
  db
    .updateTable('outbox')
    .set({
      state: 'dead',
      reason,
      answer,
      head: 0,
      attempts: sql`attempts + 1`,
      lease: null,
      leased_until: null,
      settled_at: now,
    })
    .where('id', '=', id)
    .where(stillOurs(lease)),
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
    .where(stillOurs(lease)),
)

/** Puts a delivery back as if it had not been tried, not due before `notBefore`. */
export const returnDelivery = change<{ id: number; lease: string; reason: string; notBefore: number }>(
  (db, { id, lease, reason, notBefore }) =>
    db
      .updateTable('outbox')
      .set({ state: 'pending', reason, not_before: notBefore, lease: null, leased_until: null })
      .where('id', '=', id)
      .where(stillOurs(lease)),
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

/** How many deliveries of a lane are dead, and since when. Reads an index only. */
export const deadCounts = rows<
  { tenant: string; destination: Destination },
  Pick<LaneCounts, 'dead' | 'lastDead'>
>((db, { tenant, destination }) =>
  db
    .selectFrom('outbox')
    .where('tenant', '=', tenant)
    .where('destination', '=', destination)
    .where('state', '=', 'dead')
    .select([sql<number>`count(*)`.as('dead'), sql<number | null>`max(settled_at)`.as('lastDead')]),
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

/** How many deliveries of a lane were skipped since a moment, in ms since 1970. Reads an index only. */
export const skippedSince = rows<
  { tenant: string; destination: Destination; since: number },
  { count: number }
>((db, { tenant, destination, since }) =>
  db
    .selectFrom('outbox')
    .where('tenant', '=', tenant)
    .where('destination', '=', destination)
    .where('state', '=', 'skipped')
    .where('settled_at', '>', since)
    .select(sql<number>`count(*)`.as('count')),
)

/** The delivery of a lane that was skipped last, and why. */
export const lastSkipped = rows<{ tenant: string; destination: Destination }, { at: number; reason: string }>(
  (db, { tenant, destination }) =>
    db
      .selectFrom('outbox')
      .where('tenant', '=', tenant)
      .where('destination', '=', destination)
      .where('state', '=', 'skipped')
      .select([sql<number>`settled_at`.as('at'), sql<string>`reason`.as('reason')])
      .orderBy('settled_at', 'desc')
      .limit(sql<number>`1`),
)
