import { sql } from 'kysely'
import type { Store } from './open.ts'
import { insertDelivery } from './outbox.ts'
import { change, insertion, rows } from './prepared.ts'
import { findReceipt, noteRefiner } from './receipts.ts'

/** Whom Refiner is to delete, by the parameter that names them there. */
export type RefinerContact = { readonly id: string } | { readonly uuid: string } | { readonly email: string }

/**
 * Puts deletions at Refiner into the outbox, one behind the other under one key. They are all that is left of the
 * person, and go as soon as Refiner has answered. To be called within the transaction that forgets.
 */
export function queueErasures(
  store: Store,
  erasure: {
    readonly tenant: string
    readonly receipt: number
    readonly userKey: string
    readonly contacts: readonly RefinerContact[]
    readonly now: number
    /** What is on its way must have arrived before. */
    readonly notBefore: number
  },
): void {
  const { tenant, receipt, userKey, contacts, now, notBefore } = erasure
  const inboxId = insertPlaceholder(store, { tenant, key: `erasure-${receipt}`, now })!
  contacts.forEach((contact, index) => {
    const id = insertDelivery(store, {
      inboxId,
      tenant,
      destination: 'refiner',
      call: 'delete',
      userKey,
      messageId: `erasure-${receipt}-${index}`,
      payload: JSON.stringify(contact),
      state: 'pending',
      // What has one is not brought forward.
      reason: notBefore > now ? 'waits for what is on its way' : null,
      detail: null,
      notes: null,
      head: index === 0 ? 1 : 0,
      lease: null,
      leasedUntil: null,
      now: notBefore,
      settledAt: null,
    })
    insertErasure(store, { id: id!, receipt })
  })
}

/** An item of Segment that has been mapped and says nothing: each delivery is of one. */
const insertPlaceholder = insertion<{ tenant: string; key: string; now: number }>(
  (db, { tenant, key, now }) =>
    db.insertInto('inbox').values({
      tenant,
      source: 'segment',
      dedup_key: key,
      payload: '{}',
      received_at: now,
      state: 'mapped',
      copies: 0,
      replays: 0,
      people_kept: 1,
    }),
)

const insertErasure = change<{ id: number; receipt: number }>((db, { id, receipt }) =>
  db.insertInto('erasures').values({ delivery_id: id, receipt_id: receipt }),
)

/**
 * Writes into the receipt what became of a deletion at Refiner, and removes it, with the identifier in it, once it is
 * settled. To be called within the transaction that settles it; nothing happens to other deliveries.
 */
export function settleErasure(
  store: Store,
  deliveryId: number,
  { state, status, now }: { state: 'delivered' | 'dead' | 'pending'; status: number | null; now: number },
): void {
  const [erasure] = erasureOf(store, { deliveryId })
  if (erasure === undefined) return
  const { receipt, inboxId } = erasure
  if (state === 'pending') {
    noteRefiner(store, { id: receipt, state: 'waits', now, status })
    return
  }
  removeErasure(store, { deliveryId })
  removeDelivery(store, { deliveryId })
  const [left] = openErasures(store, { receipt })
  const hasFailed = state === 'dead' || findReceipt(store, receipt)?.refiner === 'failed'
  // One that failed is told at once, and stays: the others do not make up for it.
  const now_ = hasFailed ? 'failed' : left!.count > 0 ? 'waits' : 'deleted'
  noteRefiner(store, { id: receipt, state: now_, now, status })
  if (left!.count === 0) removePlaceholder(store, { inboxId })
}

const erasureOf = rows<{ deliveryId: number }, { receipt: number; inboxId: number }>((db, { deliveryId }) =>
  db
    .selectFrom('erasures')
    .innerJoin('outbox', 'outbox.id', 'erasures.delivery_id')
    .select(['erasures.receipt_id as receipt', 'outbox.inbox_id as inboxId'])
    .where('erasures.delivery_id', '=', deliveryId),
)

const openErasures = rows<{ receipt: number }, { count: number }>((db, { receipt }) =>
  db
    .selectFrom('erasures')
    .select(sql<number>`count(*)`.as('count'))
    .where('receipt_id', '=', receipt),
)

const removeErasure = change<{ deliveryId: number }>((db, { deliveryId }) =>
  db.deleteFrom('erasures').where('delivery_id', '=', deliveryId),
)

const removeDelivery = change<{ deliveryId: number }>((db, { deliveryId }) =>
  db.deleteFrom('outbox').where('id', '=', deliveryId),
)

const removePlaceholder = change<{ inboxId: number }>((db, { inboxId }) =>
  db.deleteFrom('inbox').where('id', '=', inboxId),
)
