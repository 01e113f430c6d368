import { sql } from 'kysely'
import type { DeliveryCall, Destination } from '../contracts/delivery.ts'
import type { Source } from '../contracts/inbox.ts'
import type { Store } from './open.ts'
import { rows } from './prepared.ts'
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
}

export interface DeliveryFilter {
  /** Null: all of them. */
  readonly state: DeliveryState | null
  readonly tenant: string | null
  readonly destination: Destination | null
  readonly limit: number
}

/** Where no index leads to what is asked for, this many deliveries are looked at: the daemon must not stand still. */
const LOOKED_THROUGH = 200_000

const COLUMNS = [
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
] as const

/**
 * The newest deliveries that fit, newest first, without what they say. Among delivered ones, and where no state is
 * named, only the newest 200,000 are looked at.
 */
export function listDeliveries(store: Store, { state, ...rest }: DeliveryFilter): DeliverySummary[] {
  if (state === null) return newest(store, { ...rest, state })
  if (state === 'delivered') return newest(store, { ...rest, state })
  return ofState[state](store, rest)
}

interface RestOfFilter extends Record<string, string | number | null> {
  readonly tenant: string | null
  readonly destination: Destination | null
  readonly limit: number
}

const newest = rows<RestOfFilter & { state: DeliveryState | null }, DeliverySummary>(
  (db, { state, tenant, destination, limit }) =>
    db
      .selectFrom('outbox')
      .select(COLUMNS)
      .where(sql<boolean>`id > (select max(id) from outbox) - ${sql.lit(LOOKED_THROUGH)}`)
      .where(sql<boolean>`(${state} is null or state = ${state})`)
      .where(sql<boolean>`(${tenant} is null or tenant = ${tenant})`)
      .where(sql<boolean>`(${destination} is null or destination = ${destination})`)
      .orderBy('id', 'desc')
      .limit(limit),
)

/**
 * Finds the IDs in the index of the state, which holds few, before it reads any delivery. The plus keeps SQLite from
 * walking all deliveries in the order of their IDs instead.
 */
const listOf = (state: DeliveryState) =>
  rows<RestOfFilter, DeliverySummary>((db, { tenant, destination, limit }) =>
    db
      .selectFrom('outbox')
      .select(COLUMNS)
      .where('id', 'in', (eb) =>
        eb
          .selectFrom('outbox')
          .select('id')
          .$if(state !== 'pending', (query) => query.where('state', '=', state))
          // Many may be open, few of them under way: so the state is not looked up in each row.
          .$if(state === 'pending', (query) =>
            query
              .where('settled_at', 'is', null)
              .where('id', 'not in', eb.selectFrom('outbox').select('id').where('state', '=', 'leased')),
          )
          .where(sql<boolean>`(${tenant} is null or tenant = ${tenant})`)
          .where(sql<boolean>`(${destination} is null or destination = ${destination})`)
          .orderBy(sql`+id`, 'desc')
          .limit(limit),
      )
      .orderBy('id', 'desc'),
  )

const ofState = {
  pending: listOf('pending'),
  leased: listOf('leased'),
  dead: listOf('dead'),
  skipped: listOf('skipped'),
}

const details = rows<{ id: number }, DeliveryDetails>((db, { id }) =>
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
  return details(store, { id })[0] ?? null
}
