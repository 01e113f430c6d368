import { sql } from 'kysely'
import type { Store } from './open.ts'
import { change, rows } from './prepared.ts'

/** Who replayed what, when, and how far it has come. */
export interface ReplayRecord {
  readonly id: number
  /** In ms since 1970, as `finishedAt`. */
  readonly at: number
  readonly by: string
  /** What was asked for, as JSON text. */
  readonly filter: string
  /** The last ID that was looked at. */
  readonly place: number
  readonly untilId: number
  readonly resent: number
  readonly remapped: number
  readonly orphaned: number
  readonly finishedAt: number | null
}

/** Begins the record of a replay of deliveries behind `place` up to `untilId`; answers its ID. */
export function beginReplay(
  store: Store,
  begun: { at: number; by: string; filter: string; place: number; untilId: number },
): number {
  return insertReplay(store, begun)[0]!.id
}

const insertReplay = rows<
  { at: number; by: string; filter: string; place: number; untilId: number },
  { id: number }
>((db, { at, by, filter, place, untilId }) =>
  db
    .insertInto('replays')
    .values({
      at,
      by,
      filter,
      place,
      until_id: untilId,
      resent: 0,
      remapped: 0,
      orphaned: 0,
      finished_at: null,
    })
    .returning('id'),
)

/** Writes down what a part of a replay came to, in the transaction that does it. */
export const countReplayed = change<{
  id: number
  place: number
  resent: number
  remapped: number
  orphaned: number
  finishedAt: number | null
}>((db, { id, place, resent, remapped, orphaned, finishedAt }) =>
  db
    .updateTable('replays')
    .set({
      place,
      resent: sql`resent + ${resent}`,
      remapped: sql`remapped + ${remapped}`,
      orphaned: sql`orphaned + ${orphaned}`,
      finished_at: finishedAt,
    })
    .where('id', '=', id),
)

const RECORD = [
  'id',
  'at',
  'by',
  'filter',
  'place',
  'until_id as untilId',
  'resent',
  'remapped',
  'orphaned',
  'finished_at as finishedAt',
] as const

const byId = rows<{ id: number }, ReplayRecord>((db, { id }) =>
  db.selectFrom('replays').select(RECORD).where('id', '=', id),
)

/** Null when there is none of that ID. */
export function findReplay(store: Store, id: number): ReplayRecord | null {
  return byId(store, { id })[0] ?? null
}

/** The newest replays, newest first. */
export const listReplays = rows<{ limit: number }, ReplayRecord>((db, { limit }) =>
  db.selectFrom('replays').select(RECORD).orderBy('id', 'desc').limit(limit),
)

/** Replays behind an ID, the oldest first. */
export const replaysAfter = rows<{ after: number; limit: number }, ReplayRecord>((db, { after, limit }) =>
  db.selectFrom('replays').select(RECORD).where('id', '>', after).orderBy('id').limit(limit),
)

/** That a delivery was replayed, or another of its item, so that the item was mapped anew. */
export interface DeliveryReplay {
  readonly replay: number
  readonly deliveryId: number
  readonly at: number
  readonly by: string
  readonly how: 'resent' | 'remapped'
  /** Why it had been dead or skipped. */
  readonly reason: string
}

/** Notes that a replay has replayed a delivery. */
export const noteReplayed = change<{
  inboxId: number
  deliveryId: number
  replay: number
  how: 'resent' | 'remapped'
  now: number
  reason: string
}>((db, { inboxId, deliveryId, replay, how, now, reason }) =>
  db
    .insertInto('replayed')
    .values({ inbox_id: inboxId, delivery_id: deliveryId, replay_id: replay, how, at: now, reason })
    .onConflict((conflict) => conflict.columns(['inbox_id', 'delivery_id', 'replay_id']).doNothing()),
)

/** The replays that a delivery has been through, with those in which its item was mapped anew; the oldest first. */
export const replaysOf = rows<{ inboxId: number; deliveryId: number }, DeliveryReplay>(
  (db, { inboxId, deliveryId }) =>
    db
      .selectFrom('replayed')
      .innerJoin('replays', 'replays.id', 'replayed.replay_id')
      .select([
        'replayed.replay_id as replay',
        'replayed.delivery_id as deliveryId',
        'replayed.at',
        'replays.by',
        'replayed.how',
        'replayed.reason',
      ])
      .where('replayed.inbox_id', '=', inboxId)
      .where((eb) =>
        eb.or([eb('replayed.delivery_id', '=', deliveryId), eb('replayed.how', '=', 'remapped')]),
      )
      .orderBy('replayed.at')
      .orderBy('replayed.replay_id'),
)
