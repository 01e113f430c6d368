import { sql } from 'kysely'
import type {
  BackfillCounts,
  BackfillCursor,
  BackfillFilter,
  BackfillMode,
  BackfillRecord,
  BackfillState,
} from '../contracts/backfill.ts'
import type { Store } from './open.ts'
import { change, rows } from './prepared.ts'

const NOTHING: BackfillCounts = {
  contacts: 0,
  contactsKept: 0,
  read: 0,
  taken: 0,
  known: 0,
  forgotten: 0,
  leftOut: 0,
  messages: 0,
  copies: 0,
  skipped: 0,
  dead: 0,
}

/** Begins the record of a backfill, which is running from then on; answers its ID. At most one of a tenant runs. */
export function beginBackfill(
  store: Store,
  begun: {
    readonly tenant: string
    readonly by: string
    readonly filter: BackfillFilter
    readonly mode: BackfillMode
    readonly cursor: BackfillCursor
    readonly now: number
  },
): number {
  const { tenant, by, filter, mode, cursor, now } = begun
  const [made] = insert(store, {
    tenant,
    by,
    mode,
    now,
    filter: JSON.stringify(filter),
    cursor: JSON.stringify(cursor),
    counts: JSON.stringify(NOTHING),
  })
  return made!.id
}

const insert = rows<
  {
    tenant: string
    by: string
    mode: BackfillMode
    filter: string
    cursor: string
    counts: string
    now: number
  },
  { id: number }
>((db, { tenant, by, mode, filter, cursor, counts, now }) =>
  db
    .insertInto('backfills')
    .values({
      tenant,
      at: now,
      by,
      filter,
      mode,
      state: 'running',
      reason: null,
      cursor,
      total: null,
      counts,
      uncounted_after: null,
      uncounted_until: null,
      updated_at: now,
      finished_at: null,
    })
    .returning('id'),
)

/** Writes down how far a backfill has come, in the transaction that does it. */
export function saveBackfill(
  store: Store,
  { id, cursor, total, counts, uncounted }: BackfillRecord,
  now: number,
): void {
  save(store, {
    id,
    total,
    now,
    cursor: JSON.stringify(cursor),
    counts: JSON.stringify(counts),
    after: uncounted?.after ?? null,
    until: uncounted?.until ?? null,
  })
}

const save = change<{
  id: number
  cursor: string
  total: number | null
  counts: string
  after: number | null
  until: number | null
  now: number
}>((db, { id, cursor, total, counts, after, until, now }) =>
  db
    .updateTable('backfills')
    .set({ cursor, total, counts, uncounted_after: after, uncounted_until: until, updated_at: now })
    .where('id', '=', id),
)

/** Changes the state of a backfill that is in the state `from`; answers whether it was. */
export function moveBackfill(
  store: Store,
  id: number,
  { from, to, reason, now }: { from: BackfillState; to: BackfillState; reason: string | null; now: number },
): boolean {
  return move(store, { id, from, to, reason, now, finishedAt: to === 'done' ? now : null }) > 0
}

const move = change<{
  id: number
  from: BackfillState
  to: BackfillState
  reason: string | null
  now: number
  finishedAt: number | null
}>((db, { id, from, to, reason, now, finishedAt }) =>
  db
    .updateTable('backfills')
    .set({ state: to, reason, updated_at: now, finished_at: finishedAt })
    .where('id', '=', id)
    .where('state', '=', from),
)

/** Null when there is none of that ID. */
export function findBackfill(store: Store, id: number): BackfillRecord | null {
  const [row] = byId(store, { id })
  return row === undefined ? null : record(row)
}

/** The newest, newest first. */
export function listBackfills(store: Store, limit: number): BackfillRecord[] {
  return newest(store, { limit }).map(record)
}

/** The newest of a tenant; null when there is none. */
export function latestBackfill(store: Store, tenant: string): BackfillRecord | null {
  const [row] = newestOf(store, { tenant })
  return row === undefined ? null : record(row)
}

/** Those that run, or ran when the process ended. */
export function runningBackfills(store: Store): BackfillRecord[] {
  return running(store, {}).map(record)
}

interface Row {
  readonly id: number
  readonly tenant: string
  readonly at: number
  readonly by: string
  readonly filter: string
  readonly mode: BackfillMode
  readonly state: BackfillState
  readonly reason: string | null
  readonly cursor: string
  readonly total: number | null
  readonly counts: string
  readonly after: number | null
  readonly until: number | null
  readonly updatedAt: number
  readonly finishedAt: number | null
}

const COLUMNS = [
  'id',
  'tenant',
  'at',
  'by',
  'filter',
  'mode',
  'state',
  'reason',
  'cursor',
  'total',
  'counts',
  'uncounted_after as after',
  'uncounted_until as until',
  'updated_at as updatedAt',
  'finished_at as finishedAt',
] as const

const byId = rows<{ id: number }, Row>((db, { id }) =>
  db.selectFrom('backfills').select(COLUMNS).where('id', '=', id),
)

const newest = rows<{ limit: number }, Row>((db, { limit }) =>
  db.selectFrom('backfills').select(COLUMNS).orderBy('id', 'desc').limit(limit),
)

const newestOf = rows<{ tenant: string }, Row>((db, { tenant }) =>
  db
    .selectFrom('backfills')
    .select(COLUMNS)
    .where('tenant', '=', tenant)
    .orderBy('id', 'desc')
    .limit(sql<number>`1`),
)

const running = rows<{}, Row>((db) =>
  db.selectFrom('backfills').select(COLUMNS).where('state', '=', 'running').orderBy('id'),
)

function record({ filter, cursor, counts, after, until, ...rest }: Row): BackfillRecord {
  return {
    ...rest,
    filter: JSON.parse(filter) as BackfillFilter,
    cursor: JSON.parse(cursor) as BackfillCursor,
    counts: JSON.parse(counts) as BackfillCounts,
    uncounted: after === null || until === null ? null : { after, until },
  }
}

/** The ID of the newest inbox item; 0 when there is none. */
export function newestItem(store: Store): number {
  return newestId(store, {})[0]!.id
}

const newestId = rows<{}, { id: number }>((db) =>
  db.selectFrom('inbox').select(sql<number>`coalesce(max(id), 0)`.as('id')),
)

/** How many of these inbox items wait for the mapping. */
export function unmappedAmong(store: Store, { after, until }: { after: number; until: number }): number {
  return unmapped(store, { after, until })[0]!.count
}

const unmapped = rows<{ after: number; until: number }, { count: number }>((db, { after, until }) =>
  db
    .selectFrom('inbox')
    .select(sql<number>`count(*)`.as('count'))
    .where('id', '>', after)
    .where('id', '<=', until)
    // Without an index on purpose: they are few, and side by side.
    .where(sql<boolean>`+state = 'received'`),
)

/** What these inbox items became. */
export function outcomeOf(
  store: Store,
  { after, until }: { after: number; until: number },
): Pick<BackfillCounts, 'messages' | 'copies' | 'skipped' | 'dead'> {
  const [{ messages, skipped, dead } = { messages: 0, skipped: 0, dead: 0 }] = deliveries(store, {
    after,
    until,
  })
  return { messages, skipped, dead, copies: copies(store, { after, until })[0]!.copies }
}

const deliveries = rows<
  { after: number; until: number },
  { messages: number; skipped: number; dead: number }
>((db, { after, until }) =>
  db
    .selectFrom('outbox')
    .select([
      sql<number>`count(*) filter (where state <> 'skipped' and (state <> 'dead' or attempts > 0))`.as(
        'messages',
      ),
      sql<number>`count(*) filter (where state = 'skipped')`.as('skipped'),
      sql<number>`count(*) filter (where state = 'dead' and attempts = 0)`.as('dead'),
    ])
    .where('inbox_id', '>', after)
    .where('inbox_id', '<=', until),
)

const copies = rows<{ after: number; until: number }, { copies: number }>((db, { after, until }) =>
  db
    .selectFrom('inbox')
    .select(sql<number>`coalesce(sum(copies), 0)`.as('copies'))
    .where('id', '>', after)
    .where('id', '<=', until),
)

/** How much of a tenant waits to be sent to Segment, counted no further than `most`. */
export function waitingToSegment(store: Store, tenant: string, most: number): number {
  return openToSegment(store, { tenant, most })[0]!.count
}

const openToSegment = rows<{ tenant: string; most: number }, { count: number }>((db, { tenant, most }) =>
  db
    .selectFrom((eb) =>
      eb
        .selectFrom('outbox')
        .select('id')
        .where('tenant', '=', tenant)
        .where('destination', '=', 'segment')
        .where('settled_at', 'is', null)
        .limit(most)
        .as('open'),
    )
    .select(sql<number>`count(*)`.as('count')),
)

/** Whether anything of a tenant waits for the mapping. */
export function hasUnmapped(store: Store, tenant: string): boolean {
  return anyUnmapped(store, { tenant }).length > 0
}

const anyUnmapped = rows<{ tenant: string }, { id: number }>((db, { tenant }) =>
  db
    .selectFrom('inbox')
    .select('id')
    .where('state', '=', 'received')
    .where('tenant', '=', tenant)
    .limit(sql<number>`1`),
)

/** Adds an item of the past to the inbox; changes nothing when the tenant has it already. */
export const insertBackfilled = change<{
  tenant: string
  dedupKey: string
  payload: string
  receivedAt: number
}>((db, item) =>
  db
    .insertInto('inbox')
    .values({
      tenant: item.tenant,
      source: 'refiner_webhook',
      dedup_key: item.dedupKey,
      payload: item.payload,
      received_at: item.receivedAt,
      state: 'received',
      origin: 'backfill',
      copies: 0,
      replays: 0,
      people_kept: 0,
    })
    .onConflict((conflict) => conflict.columns(['tenant', 'source', 'dedup_key']).doNothing()),
)

/** Whether a tenant's inbox has a webhook of that key. */
export function hasInboxItem(store: Store, tenant: string, dedupKey: string): boolean {
  return itemOfKey(store, { tenant, dedupKey }).length > 0
}

const itemOfKey = rows<{ tenant: string; dedupKey: string }, { id: number }>((db, { tenant, dedupKey }) =>
  db
    .selectFrom('inbox')
    .select('id')
    .where('tenant', '=', tenant)
    .where('source', '=', 'refiner_webhook')
    .where('dedup_key', '=', dedupKey),
)

/** Whether a tenant has a message of that ID to Segment, whatever became of it. */
export function hasMessage(store: Store, tenant: string, messageId: string): boolean {
  return messageOfId(store, { tenant, messageId }).length > 0
}

const messageOfId = rows<{ tenant: string; messageId: string }, { id: number }>((db, { tenant, messageId }) =>
  db
    .selectFrom('outbox')
    .select('id')
    .where('tenant', '=', tenant)
    .where('destination', '=', 'segment')
    .where('message_id', '=', messageId),
)
