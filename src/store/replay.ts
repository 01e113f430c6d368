import { sql } from 'kysely'
import type { DeliveryCall, Destination } from '../contracts/delivery.ts'
import type { Source } from '../contracts/inbox.ts'
import { idsOfTime } from './delivery-filter.ts'
import { doomedDeliveries } from './doomed.ts'
import { ForgottenKeys, isItemOfForgotten } from './forgotten-items.ts'
import { settleHead, type UserKey } from './heads.ts'
import { unmapItem } from './inbox.ts'
import type { Store } from './open.ts'
import { keepPlace } from './places.ts'
import { change, rows } from './prepared.ts'
import { candidatesOf, type ReplayFilter } from './replay-candidates.ts'
import { beginReplay, countReplayed, findReplay, noteReplayed, type ReplayRecord } from './replays.ts'
import type { DeliveryState } from './schema.ts'
import { hasTombstones } from './tombstones.ts'

/** What a replay came to. */
export type Replayed =
  /** It waits to be sent again. */
  | { readonly kind: 'resent'; readonly tenant: string; readonly destination: Destination }
  /** Its item waits to be mapped again, and the delivery is gone: the mapping makes a new one, in its place. */
  | { readonly kind: 'remapped'; readonly tenant: string; readonly destination: Destination }
  | { readonly kind: 'unknown' }
  /** The configuration does not name the tenant: nothing would send it, or much later somebody who names it again. */
  | { readonly kind: 'orphaned'; readonly tenant: string }
  /** Of somebody who was forgotten or is suppressed: it stays as it is, and nothing is sent. */
  | { readonly kind: 'suppressed' }
  /** It was delivered, or is still to be: there is nothing to replay. */
  | { readonly kind: 'refused'; readonly state: DeliveryState }

/** How, and for whom, something is replayed. */
export interface ReplayTerms {
  readonly by: string
  /** Maps the stored input anew, by today's configuration, also where the delivery was tried before. */
  readonly remap: boolean
  readonly isKnown: (tenant: string) => boolean
  /** In ms since 1970. */
  readonly now: number
}

/**
 * Makes a dead or skipped delivery happen again. One that the destination was asked to take is sent again as it is, in
 * its place in the user's order. Of one that the mapping gave up the item is mapped anew; what the item became besides
 * is recognised by its message IDs and not sent twice. Who asked for it is kept.
 */
export function replayDelivery(store: Store, id: number, terms: ReplayTerms): Replayed {
  return store.transaction(() => {
    const planned = planOf(store, id, terms)
    if (planned.kind !== 'resent' && planned.kind !== 'remapped') return planned
    const { by, now, remap } = terms
    const filter = JSON.stringify({ id, ...(remap && { remap }) })
    const replay = beginReplay(store, { at: now, by, filter, place: id, untilId: id })
    const user = replayOne(store, id, planned, { replay, now })
    if (user !== null) settleHead(store, user, now)
    countReplayed(store, { id: replay, place: id, ...countOf([planned]), finishedAt: now })
    const { kind, tenant, destination } = planned
    return { kind, tenant, destination }
  })
}

/** What a replay of this delivery would come to. */
export function planReplay(
  store: Store,
  id: number,
  terms: Pick<ReplayTerms, 'remap' | 'isKnown'>,
): Replayed {
  const planned = planOf(store, id, terms)
  if (planned.kind !== 'resent' && planned.kind !== 'remapped') return planned
  const { kind, tenant, destination } = planned
  return { kind, tenant, destination }
}

/** Begins a replay of all that fit and are there now; what fails again meanwhile is not meant. Answers its ID. */
export function beginReplayOf(store: Store, filter: ReplayFilter, { by, remap, now }: ReplayTerms): number {
  const { from, to } = idsOfTime(store, filter)
  const asked = Object.entries({ ...filter, remap }).filter(([, value]) => value !== null && value !== false)
  const begun = { at: now, by, filter: JSON.stringify(Object.fromEntries(asked)) }
  return store.transaction(() => beginReplay(store, { ...begun, place: Math.max(from - 1, 0), untilId: to }))
}

/** So many are replayed in one commit, some milliseconds of work: the daemon has other things to do meanwhile. */
const MOST_AT_ONCE = 50

export interface ReplayedPart {
  readonly record: ReplayRecord
  readonly done: readonly { readonly id: number; readonly replayed: Replayed }[]
  /** This was the last part. */
  readonly ended: boolean
}

/**
 * Goes on with a replay: replays the next deliveries that fit, in order of arrival, 50 at most. Null when there is no
 * replay of that ID; one that is finished stays as it is.
 */
export function continueReplay(
  store: Store,
  id: number,
  { isKnown, now }: Pick<ReplayTerms, 'isKnown' | 'now'>,
): ReplayedPart | null {
  const record = findReplay(store, id)
  if (record === null) return null
  if (record.finishedAt !== null) return { record, done: [], ended: false }
  const { remap = false, ...asked } = JSON.parse(record.filter) as Partial<ReplayFilter> & { remap?: boolean }
  const filter = { ...ALL, ...asked }
  return store.transaction(() => {
    const { ids, place } = candidatesOf(store, filter, record.place, record.untilId, MOST_AT_ONCE)
    const users = new Map<string, UserKey>()
    const done = ids.map((delivery) => {
      const planned = planOf(store, delivery, { remap, isKnown })
      const user = replayOne(store, delivery, planned, { replay: id, now })
      if (user !== null) users.set(`${user.destination} ${user.tenant} ${user.userKey}`, user)
      return { id: delivery, replayed: planned }
    })
    for (const user of users.values()) settleHead(store, user, now)
    const counts = countOf(done.map(({ replayed }) => replayed))
    const finishedAt = place === null ? now : null
    countReplayed(store, { id, place: place ?? record.untilId, ...counts, finishedAt })
    return { record: findReplay(store, id)!, done, ended: finishedAt !== null }
  })
}

/** What a replay of those that fit would come to, as far as it was counted. */
export interface ReplayCount {
  readonly resent: number
  readonly remapped: number
  readonly orphaned: number
  /** Where to go on; null when all are counted. */
  readonly place: number | null
}

/** Counts the next deliveries behind `place` that a replay would meet, 1,000 at most. */
export function countPart(
  store: Store,
  filter: ReplayFilter,
  place: number,
  terms: Pick<ReplayTerms, 'remap' | 'isKnown'>,
): ReplayCount {
  const { from, to } = idsOfTime(store, filter)
  const part = candidatesOf(store, filter, Math.max(place, from - 1), to, 20 * MOST_AT_ONCE)
  return { ...countOf(part.ids.map((id) => planOf(store, id, terms))), place: part.place }
}

const ALL = {
  tenant: null,
  destination: null,
  user: null,
  survey: null,
  error: null,
  since: null,
  until: null,
  state: 'dead',
} as const

function countOf(done: readonly Replayed[]) {
  const count = (kind: Replayed['kind']) => done.filter((one) => one.kind === kind).length
  return { resent: count('resent'), remapped: count('remapped'), orphaned: count('orphaned') }
}

/** What is to become of a delivery, and what is known of it where it is to be replayed. */
type Planned =
  | (Extract<Replayed, { kind: 'resent' | 'remapped' }> & { readonly found: Replayable })
  | Exclude<Replayed, { kind: 'resent' | 'remapped' }>

function planOf(
  store: Store,
  id: number,
  { remap, isKnown }: Pick<ReplayTerms, 'remap' | 'isKnown'>,
): Planned {
  const [found] = replayable(store, { id })
  if (found === undefined || doomedDeliveries(store, [id]).size > 0) return { kind: 'unknown' }
  const { tenant, destination, state, attempts, hasPayload } = found
  if (state !== 'dead' && state !== 'skipped') return { kind: 'refused', state }
  if (!isKnown(tenant)) return { kind: 'orphaned', tenant }
  if (isSuppressed(store, id, found)) return { kind: 'suppressed' }
  // What has a payload and was never tried was given up by the mapping too: the destination would drop it.
  const asItIs = !remap && state === 'dead' && hasPayload === 1 && attempts > 0
  return { kind: asItIs ? 'resent' : 'remapped', tenant, destination, found }
}

/** By the item that it was made of, and by whom it goes to. A deletion is to be done, whoever it names. */
function isSuppressed(store: Store, id: number, { tenant, call, userKey }: Replayable): boolean {
  if (!hasTombstones(store, tenant)) return false
  const [item] = itemOf(store, { id })
  if (isItemOfForgotten(store, { tenant, ...item! })) return true
  return call !== 'delete' && new ForgottenKeys(store).has(tenant, userKey)
}

const itemOf = rows<{ id: number }, { source: Source; payload: string }>((db, { id }) =>
  db
    .selectFrom('outbox')
    .innerJoin('inbox', 'inbox.id', 'outbox.inbox_id')
    .select(['inbox.source', 'inbox.payload'])
    .where('outbox.id', '=', id),
)

/** Answers whose head is to be settled, which had something open before. */
function replayOne(
  store: Store,
  id: number,
  planned: Planned,
  { replay, now }: { readonly replay: number; readonly now: number },
): UserKey | null {
  if (planned.kind !== 'resent' && planned.kind !== 'remapped') return null
  const { kind: how, tenant, destination, found } = planned
  const { userKey, inboxId, reason, createdAt } = found
  noteReplayed(store, { inboxId, deliveryId: id, replay, how, now, reason })
  if (how === 'resent') {
    const note = `replayed at ${new Date(now).toISOString()}, after: `
    const isHead = reopen(store, { id, now, note, tenant, destination, userKey })[0]?.head === 1
    return isHead ? null : { tenant, destination, userKey }
  }
  remove(store, { id })
  keepPlace(store, { inboxId, id, destination, createdAt })
  unmapItem(store, { id: inboxId })
  return null
}

interface Replayable {
  readonly tenant: string
  readonly destination: Destination
  readonly call: DeliveryCall
  readonly userKey: string
  readonly state: DeliveryState
  readonly attempts: number
  readonly hasPayload: 0 | 1
  readonly inboxId: number
  /** What is dead or skipped has one. */
  readonly reason: string
  readonly createdAt: number
}

const replayable = rows<{ id: number }, Replayable>((db, { id }) =>
  db
    .selectFrom('outbox')
    .select([
      'tenant',
      'destination',
      'call',
      'user_key as userKey',
      'state',
      'attempts',
      sql<0 | 1>`payload is not null`.as('hasPayload'),
      'inbox_id as inboxId',
      sql<string>`coalesce(reason, '')`.as('reason'),
      'created_at as createdAt',
    ])
    .where('id', '=', id),
)

/** Notes stay shorter than this, however often something is replayed. */
const LONGEST_NOTES = 2000

/** Opens it again, at the head where its user has nothing else open: whoever has is looked at apart. */
const reopen = rows<
  { id: number; now: number; note: string; tenant: string; destination: Destination; userKey: string },
  { head: 0 | 1 }
>((db, { id, now, note, tenant, destination, userKey }) =>
  db
    .updateTable('outbox')
    .set({
      state: 'pending',
      head: sql`not exists ${db
        .selectFrom('outbox as open')
        .select('open.id')
        .where('open.tenant', '=', tenant)
        .where('open.destination', '=', destination)
        .where('open.user_key', '=', userKey)
        .where('open.settled_at', 'is', null)}`,
      notes: sql`substr(coalesce(notes || '; ', '') || ${note} || reason, -${sql.lit(LONGEST_NOTES)})`,
      reason: null,
      detail: null,
      answer: null,
      attempts: 0,
      first_attempt_at: null,
      not_before: now,
      settled_at: null,
    })
    .where('id', '=', id)
    .where('state', '=', 'dead')
    .returning('head'),
)

const remove = change<{ id: number }>((db, { id }) =>
  db
    .deleteFrom('outbox')
    .where('id', '=', id)
    .where((eb) => eb.or([eb('state', '=', 'dead'), eb('state', '=', 'skipped')])),
)
