import { sql } from 'kysely'
import type { DeliveryCall, Destination } from '../contracts/delivery.ts'
import type { Source } from '../contracts/inbox.ts'
import { type FailedAttempt, failedAttempts } from './attempts.ts'
import { type ConditionArguments, type DeliveryConditions, fits, idsOfTime } from './delivery-filter.ts'
import { doomedDeliveries } from './doomed.ts'
import type { Store } from './open.ts'
import { rows } from './prepared.ts'
import { type DeliveryReplay, replaysOf } from './replays.ts'
import type { DeliveryState } from './schema.ts'

/** Deliveries as the operator sees them. */
export interface DeliverySummary {
  readonly id: number
  readonly tenant: string
  readonly destination: Destination
  readonly call: DeliveryCall
  readonly state: DeliveryState
  readonly reason: string | null
  readonly notes: string | null
  readonly attempts: number
  readonly createdAt: number
  readonly settledAt: number | null
}

/** All of one delivery, with what it says. */
export interface DeliveryDetails extends DeliverySummary {
  readonly messageId: string
  readonly detail: string | null
  readonly answer: string | null
  /** JSON text; null where nothing is to be sent. */
  readonly payload: string | null
  readonly notBefore: number
  readonly inboxId: number
  readonly source: Source
  readonly receivedAt: number
  readonly replays: number
  /** JSON text, as it came. */
  readonly input: string
  readonly failedAttempts: readonly FailedAttempt[]
  readonly replayedBy: readonly DeliveryReplay[]
}

export interface DeliveryFilter extends DeliveryConditions {
  /** Null: all of them. */
  readonly state: DeliveryState | null
  /** Only deliveries with a lower ID; null: from the newest on. */
  readonly before: number | null
  readonly limit: number
}

/** A part of a list. */
export interface ListedPart {
  readonly deliveries: readonly DeliverySummary[]
  /** How many IDs were looked through. */
  readonly looked: number
  /** What to go on `before`; null when there is nothing further down. */
  readonly before: number | null
}

/** So many IDs are looked through at once, some milliseconds of work: the daemon has other things to do meanwhile. */
const LOOKED_AT_ONCE = 2000

/**
 * Some of the deliveries that fit, newest first, without what they say: those among the next 2,000 IDs under `before`
 * that hold one of the state at all, if dead or skipped ones are asked for.
 */
export function listPart(store: Store, { state, before, limit, ...conditions }: DeliveryFilter): ListedPart {
  const { from, to } = idsOfTime(store, conditions)
  const below = Math.min(before ?? Infinity, to + 1)
  const way = state === 'dead' || state === 'skipped' ? ways[state] : ways.any
  const high = way.nextBelow(store, { below, from })[0]?.id ?? null
  if (high === null) return { deliveries: [], looked: 0, before: null }
  const low = Math.max(high - LOOKED_AT_ONCE + 1, from)
  const deliveries = way.slice(store, { ...conditions, state, low, high, limit })
  const lowest = deliveries.length === limit ? deliveries.at(-1)!.id : low
  const doomed = doomedDeliveries(
    store,
    deliveries.map(({ id }) => id),
  )
  const shown = deliveries.filter(({ id }) => !doomed.has(id))
  return { deliveries: shown, looked: high - lowest + 1, before: lowest > from ? lowest : null }
}

interface SliceArguments extends ConditionArguments {
  readonly state: DeliveryState | null
  readonly low: number
  readonly high: number
  readonly limit: number
}

/** Down the index of a state, or down all deliveries. */
const wayOf = (indexed: 'dead' | 'skipped' | null) => ({
  nextBelow: rows<{ below: number; from: number }, { id: number }>((db, { below, from }) =>
    db
      .selectFrom('outbox')
      .select('id')
      .$if(indexed !== null, (query) => query.where('state', '=', indexed!))
      .where('id', '<', below)
      .where('id', '>=', from)
      .orderBy('id', 'desc')
      .limit(sql<number>`1`),
  ),
  slice: rows<SliceArguments, DeliverySummary>((db, slice) =>
    db
      .selectFrom('outbox')
      .select([
        'id',
        'tenant',
        'destination',
        'call',
        'state',
        'reason',
        'notes',
        'attempts',
        'created_at as createdAt',
        'settled_at as settledAt',
      ])
      .$if(indexed !== null, (query) => query.where('state', '=', indexed!))
      .where('id', '>=', slice.low)
      .where('id', '<=', slice.high)
      .where(sql<boolean>`(${slice.state} is null or state = ${slice.state})`)
      .where(fits(slice))
      .orderBy('id', 'desc')
      .limit(slice.limit),
  ),
})

const ways = { any: wayOf(null), dead: wayOf('dead'), skipped: wayOf('skipped') }

const details = rows<{ id: number }, Omit<DeliveryDetails, 'failedAttempts' | 'replayedBy'>>((db, { id }) =>
  db
    .selectFrom('outbox')
    .innerJoin('inbox', 'inbox.id', 'outbox.inbox_id')
    .select([
      'outbox.id',
      'outbox.tenant',
      'outbox.destination',
      'outbox.call',
      'outbox.state',
      'outbox.reason',
      'outbox.notes',
      'outbox.attempts',
      'outbox.created_at as createdAt',
      'outbox.settled_at as settledAt',
      'outbox.message_id as messageId',
      'outbox.detail',
      'outbox.answer',
      'outbox.payload',
      'outbox.not_before as notBefore',
      'outbox.inbox_id as inboxId',
      'inbox.source',
      'inbox.received_at as receivedAt',
      'inbox.replays',
      'inbox.payload as input',
    ])
    .where('outbox.id', '=', id),
)

/** Null when there is none of that ID. */
export function findDelivery(store: Store, id: number): DeliveryDetails | null {
  const found = details(store, { id })[0]
  if (found === undefined || doomedDeliveries(store, [id]).size > 0) return null
  const replayedBy = replaysOf(store, { inboxId: found.inboxId, deliveryId: id })
  return { ...found, failedAttempts: failedAttempts(store, id), replayedBy }
}
