import { sql } from 'kysely'
import type { Destination } from '../contracts/delivery.ts'
import type { Store } from './open.ts'
import { change } from './prepared.ts'

/** Whose deliveries go out one after the other. */
export interface UserKey {
  readonly tenant: string
  readonly destination: Destination
  readonly userKey: string
}

/**
 * Puts the user's first open delivery at the head, after the one that was there is settled or an earlier one is open
 * again. One that is under way stays at the head until it is settled: nothing of its user may go out beside it.
 * To be called within a transaction.
 */
export function settleHead(store: Store, user: UserKey, now: number): void {
  const { tenant, destination, userKey } = user
  yieldHead(store, { tenant, destination, userKey })
  takeHead(store, { tenant, destination, userKey, now })
}

/**
 * Makes sure that each user with open deliveries has its first one at the head: without a head they would wait for
 * ever. Looks at all that is open; needed only where leases were lost.
 */
export function mendHeads(store: Store): void {
  store.relaxedTransaction(() => {
    yieldHeads(store, {})
    giveHeads(store, {})
  })
}

/**
 * The same for many users of one lane, when none of them has been given anything earlier meanwhile: `users` is a JSON
 * array of their keys.
 */
export const advanceHeads = change<{ tenant: string; destination: Destination; users: string; now: number }>(
  (db, { tenant, destination, users, now }) =>
    db
      .updateTable('outbox')
      .set({ head: 1, not_before: sql`iif(attempts = 0, min(not_before, ${now}), not_before)` })
      .where('head', '=', 0)
      .where(
        'id',
        'in',
        sql<number>`(select (select open.id from outbox as open
            where open.tenant = ${tenant} and open.destination = ${destination} and open.user_key = users.value
              and open.settled_at is null
            order by open.inbox_id, open.id limit 1)
          from json_each(${users}) as users
          where not exists (select 1 from outbox as first
            where first.tenant = ${tenant} and first.destination = ${destination}
              and first.user_key = users.value and first.head = 1))`,
      ),
)

/** A head that waits behind an earlier delivery, which was replayed, gives way. */
const yieldHead = change<{ tenant: string; destination: Destination; userKey: string }>(
  (db, { tenant, destination, userKey }) =>
    db
      .updateTable('outbox')
      .set({ head: 0 })
      .where('tenant', '=', tenant)
      .where('destination', '=', destination)
      .where('user_key', '=', userKey)
      .where('head', '=', 1)
      .where('state', '=', 'pending')
      .where('id', '<>', (eb) =>
        eb
          .selectFrom('outbox as open')
          .select('open.id')
          .where('open.tenant', '=', tenant)
          .where('open.destination', '=', destination)
          .where('open.user_key', '=', userKey)
          .where('open.settled_at', 'is', null)
          .orderBy('open.inbox_id')
          .orderBy('open.id')
          .limit(sql<number>`1`),
      ),
)

/**
 * Only what has failed has a reason to wait; the moment that the others were given may be one of a clock that was
 * ahead.
 */
const takeHead = change<{ tenant: string; destination: Destination; userKey: string; now: number }>(
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
          .orderBy('open.inbox_id')
          .orderBy('open.id')
          .limit(sql<number>`1`),
      )
      .where((eb) =>
        eb.not(
          eb.exists(
            eb
              .selectFrom('outbox as first')
              .select('first.id')
              .where('first.tenant', '=', tenant)
              .where('first.destination', '=', destination)
              .where('first.user_key', '=', userKey)
              .where('first.head', '=', 1),
          ),
        ),
      ),
)

const yieldHeads = change<{}>((db) =>
  db
    .updateTable('outbox')
    .set({ head: 0 })
    .where('head', '=', 1)
    .where('state', '=', 'pending')
    .where((eb) =>
      eb.exists(
        eb
          .selectFrom('outbox as earlier')
          .select('earlier.id')
          .whereRef('earlier.tenant', '=', 'outbox.tenant')
          .whereRef('earlier.destination', '=', 'outbox.destination')
          .whereRef('earlier.user_key', '=', 'outbox.user_key')
          .where(sql<boolean>`(earlier.inbox_id, earlier.id) < (outbox.inbox_id, outbox.id)`)
          .where('earlier.settled_at', 'is', null),
      ),
    ),
)

const giveHeads = change<{}>((db) =>
  db
    .updateTable('outbox')
    .set({ head: 1 })
    .where('id', 'in', (eb) =>
      eb
        .selectFrom('outbox as open')
        .select(
          sql<number>`(select first.id from outbox as first
            where first.tenant = open.tenant and first.destination = open.destination
              and first.user_key = open.user_key and first.settled_at is null
            order by first.inbox_id, first.id limit 1)`.as('id'),
        )
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
