import { sql } from 'kysely'
import type { Destination } from '../contracts/delivery.ts'
import { settleHead } from './heads.ts'
import { unmapItem } from './inbox.ts'
import type { Store } from './open.ts'
import { change, rows } from './prepared.ts'
import type { DeliveryState } from './schema.ts'

/** What a replay came to. */
export type Replayed =
  /** It waits to be sent again. */
  | { readonly kind: 'resent'; readonly tenant: string; readonly destination: Destination }
  /** Its item waits to be mapped again, and the delivery is gone: the mapping makes a new one. */
  | { readonly kind: 'remapped'; readonly tenant: string; readonly destination: Destination }
  | { readonly kind: 'unknown' }
  /** The configuration does not name the tenant: nothing would send it, or much later somebody who names it again. */
  | { readonly kind: 'orphaned'; readonly tenant: string }
  /** It was delivered, or is still to be: there is nothing to replay. */
  | { readonly kind: 'refused'; readonly state: DeliveryState }

/**
 * Makes a dead or skipped delivery happen again. One that the destination was asked to take is sent again as it is, in
 * its place in the user's order. Of one that the mapping gave up the item is mapped anew; what the item became besides
 * is recognised by its message IDs and not sent twice.
 */
export function replayDelivery(
  store: Store,
  id: number,
  now: number,
  isKnown: (tenant: string) => boolean,
): Replayed {
  return store.transaction(() => replayOne(store, id, now, isKnown))
}

export interface ReplayFilter {
  readonly state: 'dead' | 'skipped'
  readonly tenant: string | null
  readonly destination: Destination | null
  /** A part of the reason. */
  readonly reason: string | null
  /** Only deliveries with a higher ID. */
  readonly after: number
  /** Only deliveries up to this ID: what fails again meanwhile is not meant. */
  readonly until: number
}

/** So many are replayed in one commit, of so many looked at: the daemon has other things to do meanwhile. */
const MOST_AT_ONCE = 250
const MOST_LOOKED_AT = 1000

export interface ReplayedPart {
  readonly done: readonly { readonly id: number; readonly replayed: Replayed }[]
  /** The last ID that was looked at, to go on `after`; null when none are left. */
  readonly last: number | null
}

/** Replays the first deliveries that fit, in order of arrival. */
export function replayDeliveries(
  store: Store,
  { state, reason, ...rest }: ReplayFilter,
  now: number,
  isKnown: (tenant: string) => boolean,
): ReplayedPart {
  return store.transaction(() => {
    const done: { id: number; replayed: Replayed }[] = []
    let last: number | null = null
    for (const { id } of candidates[state](store, { ...rest })) {
      if (done.length === MOST_AT_ONCE) break
      last = id
      if (reason !== null && !reasonOf(store, { id })[0]!.reason.includes(reason)) continue
      done.push({ id, replayed: replayOne(store, id, now, isKnown) })
    }
    return { done, last }
  })
}

/** The highest ID that a delivery has; 0 without any. */
export function newestId(store: Store): number {
  return highest(store, {})[0]?.id ?? 0
}

const highest = rows<{}, { id: number }>((db) =>
  db
    .selectFrom('outbox')
    .select('id')
    .orderBy('id', 'desc')
    .limit(sql<number>`1`),
)

function replayOne(store: Store, id: number, now: number, isKnown: (tenant: string) => boolean): Replayed {
  const [found] = replayable(store, { id })
  if (found === undefined) return { kind: 'unknown' }
  const { tenant, destination, userKey, state, attempts, hasPayload, inboxId } = found
  if (state !== 'dead' && state !== 'skipped') return { kind: 'refused', state }
  if (!isKnown(tenant)) return { kind: 'orphaned', tenant }
  // What has a payload and was never tried was given up by the mapping too: the destination would drop it.
  if (state === 'dead' && hasPayload === 1 && attempts > 0) {
    reopen(store, { id, now, note: `replayed at ${new Date(now).toISOString()}, after: ` })
    settleHead(store, { tenant, destination, userKey }, now)
    return { kind: 'resent', tenant, destination }
  }
  remove(store, { id })
  unmapItem(store, { id: inboxId })
  return { kind: 'remapped', tenant, destination }
}

interface Replayable {
  readonly tenant: string
  readonly destination: Destination
  readonly userKey: string
  readonly state: DeliveryState
  readonly attempts: number
  readonly hasPayload: 0 | 1
  readonly inboxId: number
}

const replayable = rows<{ id: number }, Replayable>((db, { id }) =>
  db
    .selectFrom('outbox')
    .select([
      'tenant',
      'destination',
      'user_key as userKey',
      'state',
      'attempts',
      sql<0 | 1>`payload is not null`.as('hasPayload'),
      'inbox_id as inboxId',
    ])
    .where('id', '=', id),
)

/** Notes stay shorter than this, however often something is replayed. */
const LONGEST_NOTES = 2000

const reopen = change<{ id: number; now: number; note: string }>((db, { id, now, note }) =>
  db
    .updateTable('outbox')
    .set({
      state: 'pending',
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
    .where('state', '=', 'dead'),
)

const remove = change<{ id: number }>((db, { id }) =>
  db
    .deleteFrom('outbox')
    .where('id', '=', id)
    .where((eb) => eb.or([eb('state', '=', 'dead'), eb('state', '=', 'skipped')])),
)

interface Candidates extends Record<string, string | number | null> {
  readonly tenant: string | null
  readonly destination: Destination | null
  readonly after: number
  readonly until: number
}

/** Read from the index of the state alone: each call goes over all of it. */
const candidatesIn = (state: 'dead' | 'skipped') =>
  rows<Candidates, { id: number }>((db, { tenant, destination, after, until }) =>
    db
      .selectFrom('outbox')
      .select('id')
      .where('state', '=', state)
      .where(sql<boolean>`(${tenant} is null or tenant = ${tenant})`)
      .where(sql<boolean>`(${destination} is null or destination = ${destination})`)
      .where(sql<boolean>`+id > ${after}`)
      .where(sql<boolean>`+id <= ${until}`)
      .orderBy(sql`+id`)
      .limit(sql<number>`${sql.lit(MOST_LOOKED_AT)}`),
  )

const candidates = { dead: candidatesIn('dead'), skipped: candidatesIn('skipped') }

/** What is dead or skipped has one. */
const reasonOf = rows<{ id: number }, { reason: string }>((db, { id }) =>
  db
    .selectFrom('outbox')
    .select(sql<string>`reason`.as('reason'))
    .where('id', '=', id),
)
