import { type Selectable, sql } from 'kysely'
import type { Clock } from '../contracts/clock.ts'
import type { Source } from '../contracts/inbox.ts'
import type { JsonValue } from '../contracts/json.ts'
import { isObject } from '../json/objects.ts'
import { parseExact } from '../json/parse-exact.ts'
import { text } from '../json/texts.ts'
import { type FailedAttempt, failedAttempts } from './attempts.ts'
import type { IdentityKind } from './identities.ts'
import { doomedDeliveries, doomedItems } from './doomed.ts'
import type { Store } from './open.ts'
import { isAbout, type Person } from './person.ts'
import { cursor, rows } from './prepared.ts'
import {
  accountsOf,
  eventsOf,
  RESPONSE_COLUMNS,
  type UserAccount,
  type UserEvent,
  type UserResponse,
  type UserRow,
  userRow,
} from './profiles.ts'
import { type DeliveryReplay, type ReplayRecord, replaysAfter, replaysOf } from './replays.ts'
import type { Tables } from './schema.ts'
import { segmentsOfUser, type UserSegment } from './segment-members.ts'

/** What is kept about a person, in this order. The tables that are not here hold nothing of what anybody said. */
export const SECTIONS = [
  'accounts',
  'events',
  'segments',
  'responses',
  'items',
  'deliveries',
  'replays',
] as const
export type Section = (typeof SECTIONS)[number]

/** What stands for a person at the head of an export. */
export interface ExportHead {
  /** Null where the person is known by items and responses alone. */
  readonly user: UserRow | null
  readonly identities: readonly ExportedIdentity[]
}

export interface ExportedIdentity {
  readonly kind: IdentityKind
  readonly value: string
  /** Of which it was learned: the user ID, or the uuid of a contact without one. */
  readonly userId: string | null
  readonly contactUuid: string | null
  readonly firstSeenAt: number
}

/** An inbox item, as it came, with what it became. */
export interface ExportedItem {
  readonly id: number
  readonly source: Source
  readonly origin: string
  readonly receivedAt: number
  readonly state: string
  readonly dedupKey: string
  /** JSON text. */
  readonly payload: string
  /** How many of the messages it became were there already. */
  readonly copies: number
  readonly replays: number
  readonly deliveries: readonly Omit<ExportedDelivery, 'replayedBy'>[]
  readonly replayedBy: readonly DeliveryReplay[]
  /** The response that it brought, where nothing else leads to it. */
  readonly response: UserResponse | null
}

export type DeliveryRow = Selectable<Tables['outbox']>

/** All columns of a delivery, with its failed attempts and its replays. */
export interface ExportedDelivery {
  readonly row: DeliveryRow
  readonly failedAttempts: readonly FailedAttempt[]
  readonly replayedBy: readonly DeliveryReplay[]
}

interface Rows {
  readonly accounts: UserAccount
  readonly events: UserEvent
  readonly segments: UserSegment
  readonly responses: UserResponse
  readonly items: ExportedItem
  readonly deliveries: ExportedDelivery
  readonly replays: ReplayRecord
}

/** Some of one section. */
export type ExportPart = {
  [Name in Section]: {
    readonly section: Name
    readonly rows: readonly Rows[Name][]
    /** Where to go on, to be given back as it is; null when the section has no more. */
    readonly place: Place | null
  }
}[Section]

/** The last key that was looked at: a name, or the ID of a row. */
export type Place = string | number

/** One step of an export is at most so many rows and some milliseconds. */
const ROWS_AT_ONCE = 200
const ITEMS_AT_ONCE = 1000
/** Of these only the key is looked at. */
const DELIVERIES_AT_ONCE = 4000
const STEP_MS = 4
/** In characters: one profile or item alone may have more. */
const LONGEST_PART = 1024 * 1024

export function exportHead(store: Store, { tenant, identifiers }: Person): ExportHead {
  const { userIds, uuids } = identifiers
  const [userId] = userIds
  return {
    user: userId === undefined ? null : (userRow(store, { tenant, userId })[0] ?? null),
    identities: [
      ...(userId === undefined ? [] : identitiesOf(store, { tenant, userId })),
      ...contactIdentities(store, { tenant, uuids: JSON.stringify(uuids) }),
    ],
  }
}

/** Some milliseconds' worth of a section, behind `place`; null begins it. */
export function exportPart(
  store: Store,
  person: Person,
  { section, place, clock }: { section: Section; place: Place | null; clock: Clock },
): ExportPart {
  const { tenant } = person
  const userId = person.identifiers.userIds[0] ?? ''
  switch (section) {
    case 'accounts': {
      const after = String(place ?? '')
      const found = accountsOf(store, { tenant, userId, after, limit: 10 })
      return { section, rows: found, place: found.at(-1)?.accountId ?? null }
    }
    case 'events': {
      const after = String(place ?? '')
      const found = eventsOf(store, { tenant, userId, after, limit: ROWS_AT_ONCE })
      return { section, rows: found, place: found.at(-1)?.name ?? null }
    }
    case 'segments': {
      const after = String(place ?? '')
      const found = segmentsOfUser(store, { tenant, userId, after, limit: ROWS_AT_ONCE })
      return { section, rows: found, place: found.at(-1)?.name ?? null }
    }
    case 'responses': {
      const uuids = JSON.stringify(person.identifiers.uuids)
      const after = String(place ?? '')
      const found = responsesOf(store, { tenant, userId, uuids, after, limit: 50 })
      return { section, rows: found, place: found.at(-1)?.responseUuid ?? null }
    }
    case 'items':
      return { section, ...items(store, person, Number(place ?? 0), clock) }
    case 'deliveries':
      return { section, ...deliveriesElsewhere(store, person, Number(place ?? 0), clock) }
    case 'replays':
      return { section, ...replaysFor(store, person, Number(place ?? 0)) }
  }
}

/** Reads the inbox item by item: nothing there says whose one is but what came. */
function items(store: Store, person: Person, after: number, clock: Clock) {
  const { tenant } = person
  const [next] = nextItem(store, { after })
  if (next === undefined) return { rows: [], place: null }
  const to = next.id + ITEMS_AT_ONCE - 1
  const until = clock.elapsed() + STEP_MS
  const found: Omit<ExportedItem, 'deliveries' | 'replayedBy' | 'response'>[] = []
  let place = to
  let left = LONGEST_PART
  for (const item of itemsBetween(store, { tenant, from: next.id, to })) {
    if (isAbout(person.identifiers, item)) {
      found.push(item)
      left -= item.payload.length
    }
    if (left >= 0 && clock.elapsed() < until) continue
    place = item.id
    break
  }
  const doomed = doomedItems(
    store,
    found.map(({ id }) => id),
  )
  const shown = found.filter(({ id }) => !doomed.has(id))
  const rows = shown.map((item) => ({
    ...item,
    deliveries: deliveriesOf(store, { inboxId: item.id }).map((row) => {
      return { row, failedAttempts: failedAttempts(store, row.id) }
    }),
    replayedBy: replaysOfItem(store, { inboxId: item.id }),
    response: responseWithoutContact(store, tenant, item),
  }))
  return { rows, place }
}

/** A response of somebody with neither user ID nor uuid is found by the item that brought it, and by nothing else. */
function responseWithoutContact(
  store: Store,
  tenant: string,
  { source, payload }: Pick<ExportedItem, 'source' | 'payload'>,
): UserResponse | null {
  if (source !== 'refiner_webhook') return null
  const { response } = parseExact(payload) as { response?: JsonValue }
  const responseUuid = isObject(response) ? text(response['uuid']) : null
  return responseUuid === null ? null : (lonelyResponse(store, { tenant, responseUuid })[0] ?? null)
}

/** Deliveries to the person that were made of what others said: a rule may send to whom it likes. */
function deliveriesElsewhere(store: Store, person: Person, after: number, clock: Clock) {
  const { tenant, keys } = person
  const [next] = nextDelivery(store, { after })
  if (next === undefined) return { rows: [], place: null }
  const to = next.id + DELIVERIES_AT_ONCE - 1
  const until = clock.elapsed() + STEP_MS
  const rows: ExportedDelivery[] = []
  let place = to
  for (const { id } of deliveriesBetween(store, { tenant, keys: JSON.stringify(keys), from: next.id, to })) {
    const [item] = itemOfDelivery(store, { id })
    if (!isAbout(person.identifiers, item!) && doomedDeliveries(store, [id]).size === 0) {
      const [row] = delivery(store, { id })
      const replayedBy = replaysOf(store, { inboxId: row!.inbox_id, deliveryId: id })
      rows.push({ row: row!, failedAttempts: failedAttempts(store, id), replayedBy })
    }
    if (rows.length < ROWS_AT_ONCE && clock.elapsed() < until) continue
    place = id
    break
  }
  return { rows, place }
}

/** What was replayed because it was this person's. */
function replaysFor(store: Store, { keys }: Person, after: number) {
  const all = replaysAfter(store, { after, limit: ITEMS_AT_ONCE })
  const rows = all.filter(({ filter }) => {
    const { user } = JSON.parse(filter) as { user?: string }
    return user !== undefined && keys.includes(user)
  })
  return { rows, place: all.at(-1)?.id ?? null }
}

const identitiesOf = rows<{ tenant: string; userId: string }, ExportedIdentity>((db, { tenant, userId }) =>
  db
    .selectFrom('identities')
    .select([
      'kind',
      'value',
      'user_id as userId',
      sql<null>`null`.as('contactUuid'),
      'first_seen_at as firstSeenAt',
    ])
    .where('tenant', '=', tenant)
    .where('user_id', '=', userId),
)

/** `uuids` is a JSON array. */
const contactIdentities = rows<{ tenant: string; uuids: string }, ExportedIdentity>((db, { tenant, uuids }) =>
  db
    .selectFrom('contact_identities')
    .select([
      'kind',
      'value',
      sql<null>`null`.as('userId'),
      'contact_uuid as contactUuid',
      'first_seen_at as firstSeenAt',
    ])
    .where('tenant', '=', tenant)
    .where('contact_uuid', 'in', sql<string>`(select value from json_each(${uuids}))`),
)

const responsesOf = rows<
  { tenant: string; userId: string; uuids: string; after: string; limit: number },
  UserResponse
>((db, { tenant, userId, uuids, after, limit }) =>
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
    // Not by the index of uuids, which has everybody's.
    .where(sql<boolean>`+"responseUuid" > ${after}`)
    .orderBy(sql`+"responseUuid"`)
    .limit(limit),
)

const lonelyResponse = rows<{ tenant: string; responseUuid: string }, UserResponse>(
  (db, { tenant, responseUuid }) =>
    db
      .selectFrom('responses')
      .select(RESPONSE_COLUMNS)
      .where('tenant', '=', tenant)
      .where('response_uuid', '=', responseUuid)
      .where('user_id', 'is', null)
      .where('contact_uuid', 'is', null),
)

const nextItem = rows<{ after: number }, { id: number }>((db, { after }) =>
  db
    .selectFrom('inbox')
    .select('id')
    .where('id', '>', after)
    .orderBy('id')
    .limit(sql<number>`1`),
)

const itemsBetween = cursor<
  { tenant: string; from: number; to: number },
  Omit<ExportedItem, 'deliveries' | 'replayedBy' | 'response'>
>((db, { tenant, from, to }) =>
  db
    .selectFrom('inbox')
    .select([
      'id',
      'source',
      'origin',
      'received_at as receivedAt',
      'state',
      'dedup_key as dedupKey',
      'payload',
      'copies',
      'replays',
    ])
    .where('id', '>=', from)
    .where('id', '<=', to)
    .where(sql<boolean>`+tenant = ${tenant}`)
    .orderBy('id'),
)

const deliveriesOf = rows<{ inboxId: number }, DeliveryRow>((db, { inboxId }) =>
  db.selectFrom('outbox').selectAll().where('inbox_id', '=', inboxId).orderBy('id'),
)

const delivery = rows<{ id: number }, DeliveryRow>((db, { id }) =>
  db.selectFrom('outbox').selectAll().where('id', '=', id),
)

const nextDelivery = rows<{ after: number }, { id: number }>((db, { after }) =>
  db
    .selectFrom('outbox')
    .select('id')
    .where('id', '>', after)
    .orderBy('id')
    .limit(sql<number>`1`),
)

/** `keys` is a JSON array. */
const deliveriesBetween = cursor<{ tenant: string; keys: string; from: number; to: number }, { id: number }>(
  (db, { tenant, keys, from, to }) =>
    db
      .selectFrom('outbox')
      .select('id')
      .where('id', '>=', from)
      .where('id', '<=', to)
      .where(sql<boolean>`+tenant = ${tenant}`)
      .where(sql<boolean>`+user_key in (select value from json_each(${keys}))`)
      .orderBy('id'),
)

const itemOfDelivery = rows<{ id: number }, { source: Source; payload: string }>((db, { id }) =>
  db
    .selectFrom('outbox')
    .innerJoin('inbox', 'inbox.id', 'outbox.inbox_id')
    .select(['inbox.source', 'inbox.payload'])
    .where('outbox.id', '=', id),
)

const replaysOfItem = rows<{ inboxId: number }, DeliveryReplay>((db, { inboxId }) =>
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
    .orderBy('replayed.at')
    .orderBy('replayed.replay_id'),
)
