import { sql } from 'kysely'
import type { DeliveryCall, Destination } from '../contracts/delivery.ts'
import type { Store } from './open.ts'
import { type Person, personOf } from './person.ts'
import { rows } from './prepared.ts'
import { segmentsOfUser, type UserSegment } from './segment-members.ts'

/** A user as kept from both sides. Times are in ms since 1970, and those of a response in ISO 8601. */
export interface Profile {
  readonly tenant: string
  readonly userId: string
  readonly email: string | null
  readonly refinerUuid: string | null
  /** JSON text. */
  readonly traits: string
  readonly firstSeenAt: number
  readonly lastSeenAt: number
  readonly person: Person
  readonly accounts: readonly UserAccount[]
  readonly events: readonly UserEvent[]
  /** Those that the user is or was in, by their names. */
  readonly segments: readonly UserSegment[]
  /** The newest first. */
  readonly responses: readonly UserResponse[]
  /** What waits to be sent, the oldest first. */
  readonly pending: readonly UserDelivery[]
  /** What was given up, the newest first. */
  readonly dead: readonly UserDelivery[]
}

export interface UserRow {
  readonly email: string | null
  readonly refinerUuid: string | null
  readonly traits: string
  readonly firstSeenAt: number
  readonly lastSeenAt: number
}

export interface UserAccount {
  readonly accountId: string
  /** JSON text. */
  readonly traits: string
  /** As this account's member. */
  readonly firstSeenAt: number
  readonly lastSeenAt: number
}

export interface UserEvent {
  readonly name: string
  readonly count: number
  readonly firstAt: number
  readonly lastAt: number
}

export interface UserResponse {
  readonly responseUuid: string
  readonly surveyUuid: string | null
  readonly surveyName: string | null
  /** Null where it is the user's by the contact's uuid alone. */
  readonly userId: string | null
  readonly contactUuid: string | null
  /** JSON text, as the tags. */
  readonly answers: string
  readonly tags: string | null
  readonly firstShownAt: string | null
  readonly lastShownAt: string | null
  readonly lastDataReceptionAt: string | null
  readonly completedAt: string | null
  readonly dismissedAt: string | null
  readonly updatedAt: number
}

export interface UserDelivery {
  readonly id: number
  readonly destination: Destination
  readonly call: DeliveryCall
  readonly state: 'pending' | 'leased' | 'dead'
  readonly reason: string | null
  readonly attempts: number
  readonly createdAt: number
  readonly settledAt: number | null
}

/** So much of each is shown: the export has all of it. */
export const MOST_SHOWN = {
  accounts: 100,
  events: 500,
  segments: 500,
  responses: 100,
  pending: 100,
  dead: 100,
} as const

/** Null when the tenant has no such user. Some milliseconds of work at most. */
export function findProfile(store: Store, tenant: string, userId: string): Profile | null {
  const [user] = userRow(store, { tenant, userId })
  if (user === undefined) return null
  const person = personOf(store, tenant, { userId })
  const uuids = JSON.stringify(person.identifiers.uuids)
  return {
    tenant,
    userId,
    ...user,
    person,
    accounts: accountsOf(store, { tenant, userId, after: '', limit: MOST_SHOWN.accounts + 1 }),
    events: eventsOf(store, { tenant, userId, after: '', limit: MOST_SHOWN.events + 1 }),
    segments: segmentsOfUser(store, { tenant, userId, after: '', limit: MOST_SHOWN.segments + 1 }),
    responses: latestResponses(store, { tenant, userId, uuids, limit: MOST_SHOWN.responses + 1 }),
    pending: person.keys
      .flatMap((key) => [
        ...openOf.segment(store, { tenant, key, limit: MOST_SHOWN.pending + 1 }),
        ...openOf.refiner(store, { tenant, key, limit: MOST_SHOWN.pending + 1 }),
      ])
      .toSorted((one, other) => one.id - other.id),
    dead: person.keys
      .flatMap((key) => deadOf(store, { tenant, key, limit: MOST_SHOWN.dead + 1 }))
      .toSorted((one, other) => other.id - one.id),
  }
}

export const userRow = rows<{ tenant: string; userId: string }, UserRow>((db, { tenant, userId }) =>
  db
    .selectFrom('users')
    .select([
      'email',
      'refiner_uuid as refinerUuid',
      'traits',
      'first_seen_at as firstSeenAt',
      'last_seen_at as lastSeenAt',
    ])
    .where('tenant', '=', tenant)
    .where('user_id', '=', userId),
)

/** The accounts that the user belongs to, by their IDs. */
export const accountsOf = rows<{ tenant: string; userId: string; after: string; limit: number }, UserAccount>(
  (db, { tenant, userId, after, limit }) =>
    db
      .selectFrom('memberships')
      .innerJoin('accounts', (join) =>
        join
          .onRef('accounts.tenant', '=', 'memberships.tenant')
          .onRef('accounts.account_id', '=', 'memberships.account_id'),
      )
      .select([
        'memberships.account_id as accountId',
        'accounts.traits',
        'memberships.first_seen_at as firstSeenAt',
        'memberships.last_seen_at as lastSeenAt',
      ])
      .where('memberships.tenant', '=', tenant)
      .where('memberships.user_id', '=', userId)
      .where('memberships.account_id', '>', after)
      .orderBy('memberships.account_id')
      .limit(limit),
)

/** The events of the user, by their names. */
export const eventsOf = rows<{ tenant: string; userId: string; after: string; limit: number }, UserEvent>(
  (db, { tenant, userId, after, limit }) =>
    db
      .selectFrom('user_events')
      .select(['name', 'count', 'first_at as firstAt', 'last_at as lastAt'])
      .where('tenant', '=', tenant)
      .where('user_id', '=', userId)
      .where('name', '>', after)
      .orderBy('name')
      .limit(limit),
)

export const RESPONSE_COLUMNS = [
  'response_uuid as responseUuid',
  'survey_uuid as surveyUuid',
  'survey_name as surveyName',
  'user_id as userId',
  'contact_uuid as contactUuid',
  'answers',
  'tags',
  'first_shown_at as firstShownAt',
  'last_shown_at as lastShownAt',
  'last_data_reception_at as lastDataReceptionAt',
  'completed_at as completedAt',
  'dismissed_at as dismissedAt',
  'updated_at as updatedAt',
] as const

/** Those of the user, and those without a user ID of the contacts; `uuids` is a JSON array. */
const latestResponses = rows<{ tenant: string; userId: string; uuids: string; limit: number }, UserResponse>(
  (db, { tenant, userId, uuids, limit }) =>
    db
      .selectFrom((eb) =>
        eb
          .selectFrom('responses')
          .select(RESPONSE_COLUMNS)
          .where('tenant', '=', tenant)
          .where('user_id', '=', userId)
          .unionAll(
            eb
              .selectFrom('responses')
              .select(RESPONSE_COLUMNS)
              .where('tenant', '=', tenant)
              .where('user_id', 'is', null)
              .where('contact_uuid', 'in', sql<string>`(select value from json_each(${uuids}))`),
          )
          .as('found'),
      )
      .selectAll()
      .orderBy(sql`coalesce(lastDataReceptionAt, completedAt, dismissedAt, lastShownAt, '')`, 'desc')
      .orderBy('responseUuid')
      .limit(limit),
)

const DELIVERY_COLUMNS = [
  'id',
  'destination',
  'call',
  'state',
  'reason',
  'attempts',
  'created_at as createdAt',
  'settled_at as settledAt',
] as const

interface OfKey extends Record<string, string | number> {
  readonly tenant: string
  readonly key: string
  readonly limit: number
}

const openAt = (destination: Destination) =>
  rows<OfKey, UserDelivery>((db, { tenant, key, limit }) =>
    db
      .selectFrom('outbox')
      .select(DELIVERY_COLUMNS)
      .$narrowType<{ state: UserDelivery['state'] }>()
      .where('tenant', '=', tenant)
      .where('destination', '=', destination)
      .where('user_key', '=', key)
      .where('settled_at', 'is', null)
      .orderBy('id')
      .limit(limit),
  )

const openOf = { segment: openAt('segment'), refiner: openAt('refiner') }

const deadOf = rows<OfKey, UserDelivery>((db, { tenant, key, limit }) =>
  db
    .selectFrom('outbox')
    .select(DELIVERY_COLUMNS)
    .$narrowType<{ state: UserDelivery['state'] }>()
    .where('tenant', '=', tenant)
    .where('state', '=', 'dead')
    .where('user_key', '=', key)
    .orderBy('id', 'desc')
    .limit(limit),
)
