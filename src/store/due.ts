import { sql } from 'kysely'
import type { Destination, LeasedDelivery } from '../contracts/delivery.ts'
import type { Store } from './open.ts'
import { change, cursor, rows } from './prepared.ts'

/** A delivery that may be taken. */
export type DueDelivery = LeasedDelivery & { readonly userKey: string }

export interface LaneKey {
  readonly tenant: string
  readonly destination: Destination
}

/**
 * The deliveries of a lane that are due, user by user: a head that is due, then up to `most` of what follows it in order
 * of arrival. To be read within one transaction; costs no more than what is read.
 */
export function* dueDeliveries(store: Store, { tenant, destination }: LaneKey, now: number, most: number) {
  for (const { userKey } of dueHeads(store, { tenant, destination, now })) {
    yield* openOfUser(store, { tenant, destination, userKey, limit: most })
  }
}

/** When the lane has something due, in ms since 1970: now or before, or later; null when nothing waits. */
export function nextDueAt(store: Store, { tenant, destination }: LaneKey): number | null {
  return firstDue(store, { tenant, destination })[0]!.at
}

const firstDue = rows<{ tenant: string; destination: Destination }, { at: number | null }>(
  (db, { tenant, destination }) =>
    db
      .selectFrom('outbox')
      .select((eb) => eb.fn.min<number | null>('not_before').as('at'))
      .where('tenant', '=', tenant)
      .where('destination', '=', destination)
      .where('state', '=', 'pending')
      .where('head', '=', 1),
)

const dueHeads = cursor<{ tenant: string; destination: Destination; now: number }, { userKey: string }>(
  (db, { tenant, destination, now }) =>
    db
      .selectFrom('outbox')
      .select('user_key as userKey')
      .where('tenant', '=', tenant)
      .where('destination', '=', destination)
      .where('state', '=', 'pending')
      .where('head', '=', 1)
      .where('not_before', '<=', now)
      .orderBy('not_before')
      .orderBy('id'),
)

const openOfUser = cursor<
  { tenant: string; destination: Destination; userKey: string; limit: number },
  DueDelivery
>((db, { tenant, destination, userKey, limit }) =>
  db
    .selectFrom('outbox')
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
    .where('user_key', '=', userKey)
    .where('settled_at', 'is', null)
    .orderBy('inbox_id')
    .orderBy('id')
    .limit(limit),
)

/**
 * Brings forward what would be due later than anything has a reason to be: the clock was set back. What nothing has
 * held back is due by `fresh`, everything else by `failed`.
 */
export const bringForward = change<{
  tenant: string
  destination: Destination
  fresh: number
  failed: number
}>((db, { tenant, destination, fresh, failed }) =>
  db
    .updateTable('outbox')
    .set({ not_before: sql`iif(attempts = 0 and reason is null, ${fresh}, ${failed})` })
    .where('tenant', '=', tenant)
    .where('destination', '=', destination)
    .where('state', '=', 'pending')
    .where('head', '=', 1)
    .where('not_before', '>', fresh)
    .where(sql<boolean>`not_before > iif(attempts = 0 and reason is null, ${fresh}, ${failed})`),
)
