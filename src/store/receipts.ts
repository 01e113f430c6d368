import { sql } from 'kysely'
import { change, rows } from './prepared.ts'
import type { Store } from './open.ts'

export type ReceiptKind = 'forget' | 'suppress' | 'lift'

/** What was done for somebody who asked, and when. Holds no personal data. Times are ms since 1970. */
export interface Receipt {
  readonly id: number
  readonly tenant: string
  /** Of the identifier that was named: see `tombstoneHash`. */
  readonly hash: string
  readonly what: ReceiptKind
  readonly by: string
  readonly askedAt: number
  readonly doneAt: number
  /** When the bytes that were freed had been overwritten; null until then. */
  readonly sweptAt: number | null
  /** How many rows of each table went, as JSON text. */
  readonly counts: string
  readonly complete: 0 | 1
  readonly refiner: 'not asked' | 'waits' | 'deleted' | 'failed'
  readonly refinerAt: number | null
  readonly refinerStatus: number | null
}

type NewReceipt = Omit<Receipt, 'id' | 'sweptAt' | 'refinerAt' | 'refinerStatus'>

export function addReceipt(store: Store, receipt: NewReceipt): number {
  return insertReceipt(store, { ...receipt })[0]!.id
}

const insertReceipt = rows<
  Record<keyof NewReceipt, never> | (NewReceipt & Record<string, string | number>),
  { id: number }
>((db, { tenant, hash, what, by, askedAt, doneAt, counts, complete, refiner }) =>
  db
    .insertInto('receipts')
    .values({
      tenant,
      hash,
      what,
      by,
      asked_at: askedAt,
      done_at: doneAt,
      swept_at: null,
      counts,
      complete,
      refiner,
      refiner_at: null,
      refiner_status: null,
    })
    .returning('id'),
)

const COLUMNS = [
  'id',
  'tenant',
  'hash',
  'what',
  'by',
  'asked_at as askedAt',
  'done_at as doneAt',
  'swept_at as sweptAt',
  'counts',
  'complete',
  'refiner',
  'refiner_at as refinerAt',
  'refiner_status as refinerStatus',
] as const

const byId = rows<{ id: number }, Receipt>((db, { id }) =>
  db.selectFrom('receipts').select(COLUMNS).where('id', '=', id),
)

/** Null when there is none of that ID. */
export function findReceipt(store: Store, id: number): Receipt | null {
  return byId(store, { id })[0] ?? null
}

/** Those before an ID, newest first. */
export const listReceipts = rows<{ before: number; limit: number }, Receipt>((db, { before, limit }) =>
  db.selectFrom('receipts').select(COLUMNS).where('id', '<', before).orderBy('id', 'desc').limit(limit),
)

/** Whether bytes are to be overwritten for anybody. */
export function isAnyUnswept(store: Store): boolean {
  return unswept(store, {}).length > 0
}

const unswept = rows<{}, { id: number }>((db) =>
  db
    .selectFrom('receipts')
    .select('id')
    .where('swept_at', 'is', null)
    .limit(sql<number>`1`),
)

/** All bytes that were freed up to this receipt are overwritten. */
export const markSwept = change<{ now: number }>((db, { now }) =>
  db.updateTable('receipts').set({ swept_at: now }).where('swept_at', 'is', null),
)

/** What Refiner answered to a deletion that a receipt waits for; `state` when that was the last one. */
export const noteRefiner = change<{
  id: number
  state: Receipt['refiner']
  now: number
  status: number | null
}>((db, { id, state, now, status }) =>
  db
    .updateTable('receipts')
    .set({
      refiner: state,
      refiner_at: now,
      refiner_status: sql`coalesce(${status}, refiner_status)`,
      swept_at: null,
    })
    .where('id', '=', id),
)
