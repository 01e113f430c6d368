import { sql } from 'kysely'
import type { Source } from '../contracts/inbox.ts'
import { change, rows } from './prepared.ts'

export interface InboxRow {
  readonly id: number
  readonly tenant: string
  readonly source: Source
  readonly payload: string
  readonly receivedAt: number
}

/** Adds an item; changes nothing when the tenant has it already. */
export const insertInboxItem = change<{
  tenant: string
  source: Source
  dedupKey: string
  payload: string
  receivedAt: number
}>((db, item) =>
  db
    .insertInto('inbox')
    .values({
      tenant: item.tenant,
      source: item.source,
      dedup_key: item.dedupKey,
      payload: item.payload,
      received_at: item.receivedAt,
      state: 'received',
      copies: 0,
      replays: 0,
    })
    .onConflict((conflict) => conflict.columns(['tenant', 'source', 'dedup_key']).doNothing()),
)

/** The oldest items of these tenants (a JSON list of names) that have not been mapped, in order of arrival. */
export const unmappedItems = rows<{ tenants: string; limit: number }, InboxRow>((db, { tenants, limit }) =>
  db
    .selectFrom('inbox')
    .select(['id', 'tenant', 'source', 'payload', 'received_at as receivedAt'])
    .where('state', '=', 'received')
    // The plus keeps SQLite from reading through the index of everything that the tenants ever sent.
    .where(sql<boolean>`+tenant in (select value from json_each(${tenants}))`)
    .orderBy('id')
    .limit(limit),
)

/** Marks an item as mapped; changes nothing when it was. */
export const markMapped = change<{ id: number }>((db, { id }) =>
  db.updateTable('inbox').set({ state: 'mapped' }).where('id', '=', id).where('state', '=', 'received'),
)

/** Records how many of an item's messages were there already. */
export const recordCopies = change<{ id: number; copies: number }>((db, { id, copies }) =>
  db.updateTable('inbox').set({ copies }).where('id', '=', id),
)

/** How many items of each tenant wait for the mapping, and since when. */
export const unmappedByTenant = rows<{}, { tenant: string; open: number; oldestOpen: number }>((db) =>
  db
    .selectFrom('inbox')
    .select((eb) => [
      'tenant',
      eb.fn.countAll<number>().as('open'),
      sql<number>`min(received_at)`.as('oldestOpen'),
    ])
    .where('state', '=', 'received')
    .groupBy(sql`+tenant`),
)
