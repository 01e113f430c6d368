import { sql } from 'kysely'
import type { Source } from '../contracts/inbox.ts'
import type { Store } from './open.ts'
import { change, cursor, rows } from './prepared.ts'
import type { Origin } from './schema.ts'

export interface InboxRow {
  readonly id: number
  readonly tenant: string
  readonly source: Source
  readonly payload: string
  readonly receivedAt: number
  readonly peopleKept: 0 | 1
  readonly origin: Origin
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
      people_kept: 0,
    })
    .onConflict((conflict) => conflict.columns(['tenant', 'source', 'dedup_key']).doNothing()),
)

/** Items that are mapped one after the other, in order of arrival; what other groups wait for is not theirs. */
export interface Group {
  readonly tenant: string
  readonly source: Source
}

/**
 * The groups that have items to be mapped, each once: from behind `last` on and round to it, so that whoever goes on
 * where it stopped serves all alike. Costs one step down the index for each group, however much waits in it.
 */
export function* waitingGroups(store: Store, last: Group | null): Generator<Group> {
  for (const group of groupsFrom(store, last ?? BEFORE_ALL)) yield group
  if (last === null) return
  for (const group of groupsFrom(store, BEFORE_ALL)) {
    if (isBehind(group, last)) return
    yield group
  }
}

const BEFORE_ALL = { tenant: '', source: '' }

function* groupsFrom(store: Store, from: { tenant: string; source: string }): Generator<Group> {
  let last = from
  for (;;) {
    const { tenant, source } = last
    const next = nextSource(store, { tenant, source })[0] ?? nextTenant(store, { tenant })[0]
    if (next === undefined) return
    yield next
    last = next
  }
}

/** In the order of the index, which is that of the bytes. */
function isBehind(group: Group, last: Group): boolean {
  const byTenant = Buffer.compare(Buffer.from(group.tenant), Buffer.from(last.tenant))
  return byTenant === 0 ? group.source > last.source : byTenant > 0
}

// Two queries: of a comparison of both columns at once SQLite reads all that equals the first one.
const nextSource = rows<{ tenant: string; source: string }, Group>((db, { tenant, source }) =>
  db
    .selectFrom('inbox')
    .select(['tenant', 'source'])
    .where('state', '=', 'received')
    .where('tenant', '=', tenant)
    .where(sql<boolean>`source > ${source}`)
    .orderBy('source')
    .limit(sql<number>`1`),
)

const nextTenant = rows<{ tenant: string }, Group>((db, { tenant }) =>
  db
    .selectFrom('inbox')
    .select(['tenant', 'source'])
    .where('state', '=', 'received')
    .where('tenant', '>', tenant)
    .orderBy('tenant')
    .orderBy('source')
    .limit(sql<number>`1`),
)

/** The oldest items of a group that have not been mapped: at most `limit`, and one at least, of together `bytes`. */
export function unmappedItems(store: Store, group: Group, limit: number, bytes: number): InboxRow[] {
  const items: InboxRow[] = []
  let left = bytes
  for (const item of waitingItems(store, { tenant: group.tenant, source: group.source, limit })) {
    left -= item.payload.length
    if (left < 0 && items.length > 0) break
    items.push(item)
  }
  return items
}

const waitingItems = cursor<{ tenant: string; source: Source; limit: number }, InboxRow>(
  (db, { tenant, source, limit }) =>
    db
      .selectFrom('inbox')
      .select([
        'id',
        'tenant',
        'source',
        'payload',
        'received_at as receivedAt',
        'people_kept as peopleKept',
        'origin',
      ])
      .where('state', '=', 'received')
      .where('tenant', '=', tenant)
      .where('source', '=', source)
      .orderBy('id')
      .limit(limit),
)

/** Marks an item as mapped; changes nothing when it was. */
export const markMapped = change<{ id: number; peopleKept: 0 | 1 }>((db, { id, peopleKept }) =>
  db
    .updateTable('inbox')
    .set({ state: 'mapped', people_kept: peopleKept })
    .where('id', '=', id)
    .where('state', '=', 'received'),
)

/** Records how many of an item's messages were there already. */
export const recordCopies = change<{ id: number; copies: number }>((db, { id, copies }) =>
  db.updateTable('inbox').set({ copies }).where('id', '=', id),
)

/** Puts an item back to be mapped anew; changes nothing when it waits for that already. */
export const unmapItem = change<{ id: number }>((db, { id }) =>
  db
    .updateTable('inbox')
    .set({ state: 'received', replays: sql`replays + 1` })
    .where('id', '=', id)
    .where('state', '=', 'mapped'),
)

/** How many items of each group wait for the mapping, and since when. Reads the index, and a row for each group. */
export const unmappedByGroup = rows<{}, Group & { open: number; oldestOpen: number }>((db) =>
  db
    .selectFrom((eb) =>
      eb
        .selectFrom('inbox')
        .select((count) => [
          'tenant',
          'source',
          count.fn.countAll<number>().as('open'),
          count.fn.min<number>('id').as('first'),
        ])
        .where('state', '=', 'received')
        .groupBy(['tenant', 'source'])
        .as('waiting'),
    )
    .innerJoin('inbox', 'inbox.id', 'waiting.first')
    .select(['waiting.tenant', 'waiting.source', 'waiting.open', 'inbox.received_at as oldestOpen']),
)
