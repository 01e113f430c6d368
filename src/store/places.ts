import { sql } from 'kysely'
import type { Destination } from '../contracts/delivery.ts'
import { settleHead } from './heads.ts'
import type { Store } from './open.ts'
import { change, rows } from './prepared.ts'

/** A place in the order of deliveries that has become free. */
export interface Place {
  readonly id: number
  readonly destination: Destination
  readonly createdAt: number
}

/** Keeps the place of a delivery that goes, for what its item becomes when it is mapped anew. */
export const keepPlace = change<{
  inboxId: number
  id: number
  destination: Destination
  createdAt: number
}>((db, { inboxId, id, destination, createdAt }) =>
  db.insertInto('places').values({ inbox_id: inboxId, id, destination, created_at: createdAt }),
)

/** The places that an item's deliveries have left, in order of arrival: none, unless it is mapped anew. */
export const freePlaces = rows<{ inboxId: number }, Place>((db, { inboxId }) =>
  db
    .selectFrom('places')
    .select(['id', 'destination', 'created_at as createdAt'])
    .where('inbox_id', '=', inboxId)
    .orderBy('id'),
)

/** Forgets the places of an item: it is mapped. */
export const forgetPlaces = change<{ inboxId: number }>((db, { inboxId }) =>
  db.deleteFrom('places').where('inbox_id', '=', inboxId),
)

/**
 * Puts a delivery that has just been added into the first free place of its destination, and takes that out of `free`;
 * without one it stays the last. To be called within the transaction.
 */
export function takePlace(
  store: Store,
  free: Place[],
  delivery: { tenant: string; destination: Destination; userKey: string; messageId: string },
  now: number,
): void {
  const { tenant, destination, userKey, messageId } = delivery
  const index = free.findIndex((place) => place.destination === destination)
  if (index === -1) return settleHead(store, { tenant, destination, userKey }, now)
  const [{ id, createdAt }] = free.splice(index, 1) as [Place]
  move(store, { tenant, destination, messageId, id, createdAt })
  settleHead(store, { tenant, destination, userKey }, now)
}

const move = change<{
  tenant: string
  destination: Destination
  messageId: string
  id: number
  createdAt: number
}>((db, { tenant, destination, messageId, id, createdAt }) =>
  db
    .updateTable('outbox')
    .set({ id: sql<number>`${id}`, created_at: createdAt })
    .where('tenant', '=', tenant)
    .where('destination', '=', destination)
    .where('message_id', '=', messageId),
)
