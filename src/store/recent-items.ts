import { sql } from 'kysely'
import type { DeliveryState } from './schema.ts'
import type { Source } from '../contracts/inbox.ts'
import type { Store } from './open.ts'
import { rows } from './prepared.ts'

/** What is looked at when somebody asks why nothing arrives: the newest items, and what became of them. */

export interface RecentItem {
  readonly id: number
  readonly tenant: string
  readonly source: Source
  readonly state: 'received' | 'mapped'
  readonly origin: 'webhook' | 'poll' | 'backfill'
  readonly receivedAt: number
}

/** What segments and deletions put there nobody sent. */
const notOurs = sql<boolean>`not (source = 'segment' and (dedup_key glob 'segment-change-*' or dedup_key glob 'erasure-*'))`

/** Items that came before the one of that ID, newest first. */
export const itemsBefore = rows<{ before: number; limit: number }, RecentItem>((db, { before, limit }) =>
  db
    .selectFrom('inbox')
    .select(['id', 'tenant', 'source', 'state', 'origin', 'received_at as receivedAt'])
    .where('id', '<', before)
    .where(notOurs)
    .orderBy('id', 'desc')
    .limit(limit),
)

/** What became of an item. */
export const outcomesOf = rows<
  { inboxId: number },
  { state: DeliveryState; reason: string | null; notes: string | null }
>((db, { inboxId }) =>
  db.selectFrom('outbox').select(['state', 'reason', 'notes']).where('inbox_id', '=', inboxId),
)

/** Of larger items the user is not looked up: that would take its time. */
const LARGEST = 100_000

/** The user ID of an item as it came; null without one. */
export const userIdOf = rows<{ id: number }, { userId: string | null }>((db, { id }) =>
  db
    .selectFrom('inbox')
    .select(
      sql<string | null>`case when length(payload) > ${sql.lit(LARGEST)} or not json_valid(payload) then null
        when source = 'segment' then cast(json_extract(payload, '$.userId') as text)
        else cast(json_extract(payload, '$.remote_id') as text) end`.as('userId'),
    )
    .where('id', '=', id),
)

/** Whether Refiner named a contact of this user ID, and whether Segment sent an event of it. */
export const knownOnSides = rows<{ tenant: string; userId: string }, { refiner: 0 | 1; segment: 0 | 1 }>(
  (db, { tenant, userId }) =>
    db.selectNoFrom((eb) => [
      eb
        .exists(
          eb
            .selectFrom('users')
            .select('user_id')
            .where('tenant', '=', tenant)
            .where('user_id', '=', userId)
            .where('refiner_uuid', 'is not', null),
        )
        .$castTo<0 | 1>()
        .as('refiner'),
      eb
        .exists(
          eb
            .selectFrom('user_events')
            .select('user_id')
            .where('tenant', '=', tenant)
            .where('user_id', '=', userId),
        )
        .$castTo<0 | 1>()
        .as('segment'),
    ]),
)

const someOf = rows<
  { tenant: string; source: Source; limit: number },
  { found: number; newest: number | null }
>((db, { tenant, source, limit }) =>
  db
    .selectFrom((eb) =>
      eb
        .selectFrom('inbox')
        .select('id')
        .where('tenant', '=', tenant)
        .where('source', '=', source)
        .where(notOurs)
        .limit(limit)
        .as('some'),
    )
    .select([sql<number>`count(*)`.as('found'), sql<number | null>`max(id)`.as('newest')]),
)

const MANY_EVENTS = 1000

const eventsOf = rows<{ tenant: string }, { found: number }>((db, { tenant }) =>
  db
    .selectFrom((eb) =>
      eb
        .selectFrom('user_events')
        .select('user_id')
        .where('tenant', '=', tenant)
        .limit(sql<number>`${sql.lit(MANY_EVENTS)}`)
        .as('some'),
    )
    .select(sql<number>`count(*)`.as('found')),
)

/** Whether Segment sent so many users' events that whoever is not among them is not known there. */
export function hasManyEvents(store: Store, tenant: string): boolean {
  return eventsOf(store, { tenant })[0]!.found === MANY_EVENTS
}

const receivedAtOf = rows<{ id: number }, { at: number }>((db, { id }) =>
  db.selectFrom('inbox').select('received_at as at').where('id', '=', id),
)

/** So many are gone through to find the newest. */
const MOST_SOUGHT = 2000

/** Whether anything of a source is stored for a tenant; `newest` is null where there is too much to look through. */
export function storedOf(
  store: Store,
  tenant: string,
  source: Source,
): { ever: boolean; newest: number | null } {
  const { found, newest } = someOf(store, { tenant, source, limit: MOST_SOUGHT })[0]!
  if (newest === null) return { ever: false, newest: null }
  return { ever: true, newest: found < MOST_SOUGHT ? receivedAtOf(store, { id: newest })[0]!.at : null }
}

/** The newest that were given up, newest first. */
export const newestDead = rows<
  { tenant: string; destination: 'segment' | 'refiner'; limit: number },
  { id: number; reason: string; settledAt: number }
>((db, { tenant, destination, limit }) =>
  db
    .selectFrom('outbox')
    .select(['id', sql<string>`reason`.as('reason'), sql<number>`settled_at`.as('settledAt')])
    .where('tenant', '=', tenant)
    .where('destination', '=', destination)
    .where('state', '=', 'dead')
    .orderBy('settled_at', 'desc')
    .limit(limit),
)
