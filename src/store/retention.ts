import { sql } from 'kysely'
import type { Clock } from '../contracts/clock.ts'
import type { RetentionSettings } from '../contracts/configuration.ts'
import type { Destination } from '../contracts/delivery.ts'
import type { Store } from './open.ts'
import { change, rows } from './prepared.ts'
import type { DeliveryState } from './schema.ts'
import { keepAsSent } from './sent-before.ts'

/** So much is looked at in one step, and so long: requests wait for a step, and for nothing else of it. */
const MOST_ITEMS = 100
const STEP_MS = 4

/** So many pages of the file may lie free: what comes next is written there without growing it. */
const FREE_PAGES = 1000
const FREE_SHARE = 0.1
const PAGES_AT_ONCE = 8

/** What a step removed. */
export interface RemovedPart {
  readonly items: number
  readonly deliveries: number
  /** The ID of the last inbox item that was looked at, to go on after it; null when none are left that may be old. */
  readonly last: number | null
}

/**
 * Looks at the inbox items behind `after`, in order of arrival, and removes what is past its time. A dead delivery goes
 * at its own time. Delivered and skipped ones go once nothing else of their item is kept: while it may be mapped
 * anew, they are what says which messages went out already. The item goes when none of its deliveries is left, and as
 * late as delivered ones at the earliest: until then it tells a copy that comes late.
 *
 * A power cut may undo it; then it is done again.
 */
export function removeOld(
  store: Store,
  { clock, retention, after }: { clock: Clock; retention: RetentionSettings; after: number },
): RemovedPart {
  const now = clock.now()
  const until = clock.elapsed() + STEP_MS
  const youngest = now - Math.min(retention.deliveredMs, retention.deadMs)
  const removed = { items: 0, deliveries: 0 }
  return store.relaxedTransaction(() => {
    let last = after
    for (const item of itemsAfter(store, { after })) {
      // The IDs are in order of arrival; only of a clock that was ahead nothing follows.
      if (item.receivedAt > youngest && item.receivedAt <= now) return { ...removed, last: null }
      const part = removeOfItem(store, item, retention, now)
      removed.items += part.items
      removed.deliveries += part.deliveries
      last = item.id
      if (clock.elapsed() >= until) break
    }
    return { ...removed, last: last === after ? null : last }
  })
}

interface Item {
  readonly id: number
  readonly state: 'received' | 'mapped'
  readonly receivedAt: number
}

function removeOfItem(
  store: Store,
  item: Item,
  { deliveredMs, deadMs }: RetentionSettings,
  now: number,
): { items: number; deliveries: number } {
  const kept: number[] = []
  const old: OldDelivery[] = []
  let deliveries = 0
  for (const delivery of deliveriesOf(store, { inboxId: item.id })) {
    const { id, state, settledAt } = delivery
    if (state === 'dead' && settledAt! < now - deadMs) deliveries += removeDelivery(store, { id })
    else if (settledAt !== null && state !== 'dead' && settledAt < now - deliveredMs) old.push(delivery)
    else kept.push(id)
  }
  if (kept.length > 0 || item.state === 'received') return { items: 0, deliveries }
  for (const { id, state, destination, tenant, messageId, userKey } of old) {
    if (state === 'delivered' && destination === 'segment') keepAsSent(store, tenant, messageId, userKey)
    deliveries += removeDelivery(store, { id })
  }
  const items = item.receivedAt < now - deliveredMs ? removeItem(store, { id: item.id }) : 0
  return { items, deliveries }
}

const itemsAfter = rows<{ after: number }, Item>((db, { after }) =>
  db
    .selectFrom('inbox')
    .select(['id', 'state', 'received_at as receivedAt'])
    .where('id', '>', after)
    .orderBy('id')
    .limit(sql<number>`${sql.lit(MOST_ITEMS)}`),
)

interface OldDelivery {
  readonly id: number
  readonly state: DeliveryState
  readonly settledAt: number | null
  readonly tenant: string
  readonly destination: Destination
  readonly messageId: string
  readonly userKey: string
}

const deliveriesOf = rows<{ inboxId: number }, OldDelivery>((db, { inboxId }) =>
  db
    .selectFrom('outbox')
    .select([
      'id',
      'state',
      'settled_at as settledAt',
      'tenant',
      'destination',
      'message_id as messageId',
      'user_key as userKey',
    ])
    .where('inbox_id', '=', inboxId),
)

const removeDelivery = change<{ id: number }>((db, { id }) =>
  db.deleteFrom('outbox').where('id', '=', id).where('settled_at', 'is not', null),
)

const removeItem = change<{ id: number }>((db, { id }) =>
  db.deleteFrom('inbox').where('id', '=', id).where('state', '=', 'mapped'),
)

/**
 * Gives pages that lie free back to the file system, for some milliseconds. Answers whether more is to be given back;
 * never of a file that was made without `auto_vacuum`, see `refiner-sync vacuum`.
 */
export function shrinkFile(store: Store, clock: Clock): boolean {
  if (number(store, 'auto_vacuum') !== 2 || !isSlack(store)) return false
  const until = clock.elapsed() + STEP_MS
  return store.relaxedTransaction(() => {
    let left = true
    for (let pages = 0; left && pages < MOST_ITEMS; pages += PAGES_AT_ONCE) {
      // It gives back one page with each row that is asked for.
      store.sqlite.query(`pragma incremental_vacuum(${PAGES_AT_ONCE})`).all()
      left = isSlack(store)
      if (clock.elapsed() >= until) break
    }
    return left
  })
}

function isSlack(store: Store): boolean {
  return number(store, 'freelist_count') > Math.max(FREE_PAGES, number(store, 'page_count') * FREE_SHARE)
}

function number(store: Store, pragma: 'auto_vacuum' | 'freelist_count' | 'page_count'): number {
  return Object.values(store.sqlite.query<Record<string, number>, []>(`pragma ${pragma}`).get()!)[0]!
}

/** How many rows were ever changed over this connection: the same number again means that nothing happened. */
export function changesSoFar(store: Store): number {
  return store.sqlite.query<{ changes: number }, []>('select total_changes() as changes').get()!.changes
}

/**
 * Puts what is in the -wal into the file and empties it, unless somebody reads there. Takes as long as the disk takes to
 * write it: for when nothing is going on.
 */
export function emptyWal(store: Store): void {
  const { busy, log, checkpointed } = store.sqlite
    .query<{ busy: number; log: number; checkpointed: number }, []>('pragma wal_checkpoint(passive)')
    .get()!
  if (busy === 0 && log > 0 && log === checkpointed)
    store.sqlite.query('pragma wal_checkpoint(truncate)').get()
}
