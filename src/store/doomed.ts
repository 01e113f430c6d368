import { sql } from 'kysely'
import type { Store } from './open.ts'
import { rows } from './prepared.ts'

/**
 * What is left to be removed of somebody who was forgotten and had very much. It is as good as gone: nobody is to see it,
 * and nothing is to be made of it.
 */
export function isAnyDoomed(store: Store): boolean {
  return anyDoomed(store, {}).length > 0
}

const anyDoomed = rows<{}, { id: number }>((db) =>
  db
    .selectFrom('doomed')
    .select('id')
    .limit(sql<number>`1`),
)

/** Those of these deliveries that are doomed, by themselves or with their item. */
export function doomedDeliveries(store: Store, ids: readonly number[]): ReadonlySet<number> {
  if (ids.length === 0 || !isAnyDoomed(store)) return NONE
  return new Set(amongDeliveries(store, { ids: JSON.stringify(ids) }).map(({ id }) => id))
}

/** Those of these inbox items that are doomed. */
export function doomedItems(store: Store, ids: readonly number[]): ReadonlySet<number> {
  if (ids.length === 0 || !isAnyDoomed(store)) return NONE
  return new Set(amongItems(store, { ids: JSON.stringify(ids) }).map(({ id }) => id))
}

const NONE: ReadonlySet<number> = new Set()

/** Hardly ever more than one: with them the primary key leads to an ID. */
const RECEIPTS = sql<number>`(select id from receipts
  where what = 'forget' and exists (select 1 from doomed as any where any.receipt_id = receipts.id))`

const amongDeliveries = rows<{ ids: string }, { id: number }>((db, { ids }) =>
  db
    .selectFrom('outbox')
    .select('outbox.id')
    .where('outbox.id', 'in', sql<number>`(select value from json_each(${ids}))`)
    .where(
      sql<boolean>`(exists (select 1 from doomed
          where receipt_id in ${RECEIPTS} and kind = 'delivery' and doomed.id = outbox.id)
        or exists (select 1 from doomed
          where receipt_id in ${RECEIPTS} and kind = 'item' and doomed.id = outbox.inbox_id))`,
    ),
)

const amongItems = rows<{ ids: string }, { id: number }>((db, { ids }) =>
  db
    .selectFrom('doomed')
    .select('doomed.id')
    .distinct()
    .where(sql<boolean>`receipt_id in ${RECEIPTS}`)
    .where('kind', '=', 'item')
    .where('doomed.id', 'in', sql<number>`(select value from json_each(${ids}))`),
)
