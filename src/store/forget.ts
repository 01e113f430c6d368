import { sql } from 'kysely'
import type { Clock } from '../contracts/clock.ts'
import type { Destination } from '../contracts/delivery.ts'
import type { Source } from '../contracts/inbox.ts'
import type { JsonValue } from '../contracts/json.ts'
import { isObject } from '../json/objects.ts'
import { parseExact } from '../json/parse-exact.ts'
import { text } from '../json/texts.ts'
import { queueErasures, type RefinerContact } from './erasures.ts'
import { settleHead } from './heads.ts'
import type { Whom } from './identities.ts'
import type { Store } from './open.ts'
import { isAbout, type Person, personOf } from './person.ts'
import { change, cursor, rows } from './prepared.ts'
import { addReceipt, findReceipt, type Receipt } from './receipts.ts'
import { type IdentifierKind, setTombstone, tombstoneHash } from './tombstones.ts'

/** What nothing but reading all of the inbox and the outbox finds. */
export interface Found {
  readonly items: number[]
  readonly deliveries: number[]
  /** Of the responses that the items brought. */
  readonly responses: string[]
  /** The last IDs that were looked at. */
  item: number
  delivery: number
}

export function nothingFound(): Found {
  return { items: [], deliveries: [], responses: [], item: 0, delivery: 0 }
}

const LOOKED_AT_ONCE = 1000
const STEP_MS = 4

/**
 * Looks for rows of a person, for some milliseconds, behind what was looked at before. Answers whether that was all.
 */
export function findMore(store: Store, person: Person, found: Found, clock: Clock): boolean {
  const until = clock.elapsed() + STEP_MS
  const itemsLeft = findItems(store, person, found, () => clock.elapsed() >= until)
  const deliveriesLeft = findDeliveries(store, person, found, () => clock.elapsed() >= until)
  return !itemsLeft && !deliveriesLeft
}

function findItems(store: Store, person: Person, found: Found, isLate: () => boolean): boolean {
  const [next] = nextItem(store, { after: found.item })
  if (next === undefined) return false
  // Not beyond the last one: what comes next has the next ID.
  const to = Math.min(next.id + LOOKED_AT_ONCE - 1, lastItem(store, {})[0]!.id)
  for (const item of itemsBetween(store, { tenant: person.tenant, from: next.id, to })) {
    found.item = item.id
    if (isAbout(person.identifiers, item)) {
      found.items.push(item.id)
      const response = responseIn(item)
      if (response !== null) found.responses.push(response)
    }
    if (isLate()) return true
  }
  found.item = to
  return true
}

function responseIn({ source, payload }: { source: Source; payload: string }): string | null {
  if (source !== 'refiner_webhook') return null
  const { response } = parseExact(payload) as { response?: JsonValue }
  return isObject(response) ? text(response['uuid']) : null
}

function findDeliveries(store: Store, person: Person, found: Found, isLate: () => boolean): boolean {
  const [next] = nextDelivery(store, { after: found.delivery })
  if (next === undefined) return false
  const to = Math.min(next.id + LOOKED_AT_ONCE - 1, lastDelivery(store, {})[0]!.id)
  const keys = JSON.stringify(person.keys)
  for (const { id } of deliveriesBetween(store, { tenant: person.tenant, keys, from: next.id, to })) {
    found.delivery = id
    found.deliveries.push(id)
    if (isLate()) return true
  }
  found.delivery = to
  return true
}

/** What is asked for. */
export interface ForgetTerms {
  readonly by: string
  /** In ms since 1970. */
  readonly askedAt: number
  /** Refiner is to delete the person, too. */
  readonly inRefiner: boolean
}

/**
 * Removes all that is kept of a person, leaves tombstones and a receipt: all in one commit, or nothing of it. Of more than
 * 2,000 items or deliveries the commit keeps the IDs of the rest, which `removeDoomed` removes, whatever happens meanwhile:
 * until then nobody is shown them (`doomed.ts`).
 * `found` has been brought up to date by `findMore` in the same turn of the event loop. What is under way at this
 * moment settles into nothing.
 */
export function forgetPerson(
  store: Store,
  whom: Whom,
  person: Person,
  found: Found,
  { by, askedAt, inRefiner, now }: ForgetTerms & { readonly now: number },
): Receipt {
  const { tenant, keys, identifiers } = person
  return store.transaction(() => {
    const userKey = keys[0] ?? valueOf(whom)
    const isUnderWay = leasedAtRefiner(store, { tenant, keys: JSON.stringify(keys) }).length > 0
    // Of very much the first part goes now, and with it the profile; the rest is as good as gone, and goes by its IDs.
    const first = {
      items: found.items.slice(0, WITH_COMMIT),
      deliveries: found.deliveries.slice(0, WITH_COMMIT),
    }
    const counts = removeRows(store, person, { ...found, ...first }, now)
    // What the rest became for somebody else must not go out either; what has settled goes nowhere by itself.
    const unsent = removeUnsent(store, tenant, found.items.slice(WITH_COMMIT), now)
    counts['deliveries'] = (counts['deliveries'] ?? 0) + unsent
    const contacts = inRefiner ? contactsOf(person) : []
    const receipt = addReceipt(store, {
      tenant,
      hash: hashOf(store, tenant, whom),
      what: 'forget',
      by,
      askedAt,
      doneAt: now,
      counts: JSON.stringify(counts),
      complete: identifiers.complete ? 1 : 0,
      refiner: contacts.length > 0 ? 'waits' : 'not asked',
    })
    entomb(store, whom, person, { kind: 'forgotten', receipt, now })
    doomItems(store, { receipt, ids: JSON.stringify(found.items.slice(WITH_COMMIT)) })
    doomDeliveries(store, { receipt, ids: JSON.stringify(found.deliveries.slice(WITH_COMMIT)) })
    if (contacts.length > 0) {
      const notBefore = isUnderWay ? now + ARRIVED_MS : now
      queueErasures(store, { tenant, receipt, userKey, contacts, now, notBefore })
    }
    return findReceipt(store, receipt)!
  })
}

/** What was under way, without anybody waiting for it, has arrived after this time, or never will. */
const ARRIVED_MS = 60_000

/** From now on drops what comes of a person; what is kept stays. */
export function suppressPerson(
  store: Store,
  whom: Whom,
  tenant: string,
  { by, now }: { readonly by: string; readonly now: number },
): Receipt {
  return store.transaction(() => {
    const person = personOf(store, tenant, whom)
    const receipt = addReceipt(store, {
      tenant,
      hash: hashOf(store, tenant, whom),
      what: 'suppress',
      by,
      askedAt: now,
      doneAt: now,
      counts: '{}',
      complete: person.identifiers.complete ? 1 : 0,
      refiner: 'not asked',
    })
    entomb(store, whom, person, { kind: 'suppressed', receipt, now })
    return findReceipt(store, receipt)!
  })
}

export function hashOf(store: Store, tenant: string, whom: Whom): string {
  // An email that is none stands for nobody, and is refused before.
  return tombstoneHash(store, tenant, kindOf(whom), valueOf(whom)) ?? ''
}

function entomb(
  store: Store,
  whom: Whom,
  { tenant, identifiers }: Person,
  { kind, receipt, now }: { kind: 'forgotten' | 'suppressed'; receipt: number; now: number },
): void {
  const hashes = new Set([hashOf(store, tenant, whom)])
  const add = (of: IdentifierKind, values: readonly string[]) => {
    for (const value of values) hashes.add(tombstoneHash(store, tenant, of, value) ?? '')
  }
  add('user', identifiers.userIds)
  add('email', identifiers.emails)
  add('uuid', identifiers.uuids)
  for (const hash of hashes) if (hash !== '') setTombstone(store, { tenant, hash, kind, at: now, receipt })
}

function kindOf(whom: Whom): IdentifierKind {
  return 'userId' in whom ? 'user' : 'email' in whom ? 'email' : 'uuid'
}

function valueOf(whom: Whom): string {
  return 'userId' in whom ? whom.userId : 'email' in whom ? whom.email : whom.uuid
}

/** Of one person so many contacts are deleted one by one. */
const MOST_CONTACTS = 50

/** By the user ID; contacts that were never joined with it have uuids of their own. */
function contactsOf({ identifiers: { userIds, uuids, emails } }: Person): RefinerContact[] {
  const contacts = [...userIds.map((id) => ({ id })), ...uuids.map((uuid) => ({ uuid }))]
  const [email] = emails
  if (contacts.length === 0 && email !== undefined) return [{ email }]
  return contacts.slice(0, MOST_CONTACTS)
}

/**
 * So many items, with what they became, and so many deliveries go with the deciding commit: nearly everybody's. Nothing
 * else is done meanwhile: of 2,000 items with three deliveries each for some tenths of a second.
 */
const WITH_COMMIT = 2000
/** So many of the rest in each commit behind it: some milliseconds. */
const AT_ONCE = 100

interface Part {
  readonly items: readonly number[]
  readonly deliveries: readonly number[]
}

/** Removes items with what they became, and deliveries. To be called within a transaction. */
function removePart(store: Store, tenant: string, part: Part, now: number) {
  const items = JSON.stringify(part.items)
  const deliveries = JSON.stringify(part.deliveries)
  const waiting = [...openByItems(store, { items }), ...openByIds(store, { deliveries })]
  const [attempts] = attemptsOf(store, { items, deliveries })
  const [replayed] = replayedOf(store, { items })
  const removed = removeByItems(store, { items }) + removeByIds(store, { deliveries })
  const removedItems = removeItems(store, { items })
  for (const user of new Map(waiting.map((one) => [`${one.destination} ${one.userKey}`, one])).values()) {
    settleHead(store, { tenant, ...user }, now)
  }
  return { items: removedItems, deliveries: removed, attempts: attempts!.count, replayed: replayed!.count }
}

/** Removes what is still to be sent of these items, to whomever. */
function removeUnsent(store: Store, tenant: string, itemIds: readonly number[], now: number): number {
  if (itemIds.length === 0) return 0
  const items = JSON.stringify(itemIds)
  const waiting = openByItems(store, { items })
  const removed = removeOpenByItems(store, { items })
  for (const user of waiting) settleHead(store, { tenant, ...user }, now)
  return removed
}

const attemptsOf = rows<{ items: string; deliveries: string }, { count: number }>(
  (db, { items, deliveries }) =>
    db
      .selectFrom('attempts')
      .select(sql<number>`count(*)`.as('count'))
      .where(
        'delivery_id',
        'in',
        sql<number>`(select id from outbox where inbox_id in (select value from json_each(${items}))
        union select value from json_each(${deliveries}))`,
      ),
)

const replayedOf = rows<{ items: string }, { count: number }>((db, { items }) =>
  db
    .selectFrom('replayed')
    .select(sql<number>`count(*)`.as('count'))
    .where('inbox_id', 'in', sql<number>`(select value from json_each(${items}))`),
)

/**
 * Removes the next of what is left of somebody who had very much; answers whether there was something. Who it was is not
 * known any more, and need not be.
 */
export function removeDoomed(store: Store, now: number): boolean {
  return store.relaxedTransaction(() => {
    const [first] = doomedReceipt(store, {})
    if (first === undefined) return false
    const { receipt, tenant } = first
    const some = nextDoomed(store, { receipt, limit: AT_ONCE })
    const idsOf = (kind: 'item' | 'delivery') => some.filter((one) => one.kind === kind).map(({ id }) => id)
    const part = { items: idsOf('item'), deliveries: idsOf('delivery') }
    const { items, deliveries, attempts, replayed } = removePart(store, tenant, part, now)
    for (const { kind, id } of some) undoom(store, { receipt, kind, id })
    addCounts(store, { receipt, items, deliveries, attempts, replayed })
    return true
  })
}

const doomedReceipt = rows<{}, { receipt: number; tenant: string }>((db) =>
  db
    .selectFrom('doomed')
    .innerJoin('receipts', 'receipts.id', 'doomed.receipt_id')
    .select(['doomed.receipt_id as receipt', 'receipts.tenant'])
    .orderBy('doomed.receipt_id')
    .limit(sql<number>`1`),
)

const nextDoomed = rows<{ receipt: number; limit: number }, { kind: 'item' | 'delivery'; id: number }>(
  (db, { receipt, limit }) =>
    db
      .selectFrom('doomed')
      .select(['kind', 'id'])
      .where('receipt_id', '=', receipt)
      .orderBy('kind')
      .orderBy('id')
      .limit(limit),
)

const undoom = change<{ receipt: number; kind: 'item' | 'delivery'; id: number }>(
  (db, { receipt, kind, id }) =>
    db.deleteFrom('doomed').where('receipt_id', '=', receipt).where('kind', '=', kind).where('id', '=', id),
)

/** `ids` is a JSON array. */
const doomItems = change<{ receipt: number; ids: string }>((db, { receipt, ids }) =>
  db
    .insertInto('doomed')
    .columns(['receipt_id', 'kind', 'id'])
    .expression(
      sql<DoomedRow>`select ${receipt}, 'item', value from json_each(${ids})
        where exists (select 1 from inbox where inbox.id = value)`,
    ),
)

/** Of the same; most have gone with their items. */
const doomDeliveries = change<{ receipt: number; ids: string }>((db, { receipt, ids }) =>
  db
    .insertInto('doomed')
    .columns(['receipt_id', 'kind', 'id'])
    .expression(
      sql<DoomedRow>`select ${receipt}, 'delivery', value from json_each(${ids})
        where exists (select 1 from outbox where outbox.id = value)`,
    ),
)

interface DoomedRow {
  receipt_id: number
  kind: 'item' | 'delivery'
  id: number
}

const addCounts = change<{
  receipt: number
  items: number
  deliveries: number
  attempts: number
  replayed: number
}>((db, { receipt, items, deliveries, attempts, replayed }) =>
  db
    .updateTable('receipts')
    .set({
      counts: sql`json_set(counts, '$.items', counts ->> '$.items' + ${items},
        '$.deliveries', counts ->> '$.deliveries' + ${deliveries},
        '$.attempts', counts ->> '$.attempts' + ${attempts},
        '$.replayed', counts ->> '$.replayed' + ${replayed})`,
    })
    .where('id', '=', receipt),
)

type RemovedRows = Record<string, number>

function removeRows(store: Store, person: Person, found: Found, now: number): RemovedRows {
  const { tenant, identifiers } = person
  const userIds = JSON.stringify(identifiers.userIds)
  const uuids = JSON.stringify(identifiers.uuids)
  const keys = JSON.stringify(person.keys)
  const count = (name: string, where: string, ...values: string[]) =>
    store.sqlite
      .query<{ n: number }, string[]>(`select count(*) as n from ${name} where ${where}`)
      .get(...values)!.n

  // What is open or dead goes at once, however much there is: an index leads to it.
  const unsettled = removeOpen(store, { tenant, keys }) + removeDead(store, { tenant, keys })
  const { items, deliveries, attempts, replayed } = removePart(store, tenant, found, now)
  const responses =
    removeResponsesOfUser(store, { tenant, userIds }) +
    removeResponsesOfContact(store, { tenant, uuids }) +
    removeLonelyResponses(store, { tenant, responses: JSON.stringify(found.responses) })
  const others = removeElsewhere(store, tenant, identifiers.userIds)
  const ofUser = 'tenant = ? and user_id in (select value from json_each(?))'
  const memberships = count('memberships', ofUser, tenant, userIds)
  const events = count('user_events', ofUser, tenant, userIds)
  const ownIdentities = count('identities', ofUser, tenant, userIds)
  const accounts = accountsOfUser(store, { tenant, userIds }).map(({ id }) => id)
  const sharedBefore = sharedOfUser(store, { tenant, userIds })
  const users = removeUsers(store, { tenant, userIds })
  for (const { kind, value } of sharedBefore) unshare(store, { tenant, kind, value })
  const contacts = removeContactIdentities(store, { tenant, uuids })
  const lonely = removeAccounts(store, { tenant, accounts: JSON.stringify(accounts) })
  const replays = blankReplays(store, { tenant, keys, now })
  return {
    users,
    identities: ownIdentities + contacts,
    memberships,
    accounts: lonely,
    events,
    responses,
    items,
    deliveries: deliveries + unsettled,
    attempts,
    replayed,
    replays,
    ...others,
  }
}

/** The tables whose rows go with others, or are named above. */
const KNOWN = new Set([
  'users',
  'responses',
  'memberships',
  'user_events',
  'identities',
  'contact_identities',
  'tombstones',
  'receipts',
])

/** Whatever other table says of which user its rows are. */
function removeElsewhere(store: Store, tenant: string, userIds: readonly string[]): Record<string, number> {
  const removed: Record<string, number> = {}
  for (const { name } of tablesOfUsers(store)) {
    if (KNOWN.has(name)) continue
    const statement = store.sqlite.query<unknown, [string, string]>(
      `delete from "${name}" where tenant = ? and user_id = ?`,
    )
    let count = 0
    for (const userId of userIds) count += statement.run(tenant, userId).changes
    removed[name] = count
  }
  return removed
}

function tablesOfUsers(store: Store): { name: string }[] {
  return store.sqlite
    .query<{ name: string }, []>(
      `select name from sqlite_schema as tables where type = 'table' and sql not like 'create virtual%'
        and exists (select 1 from pragma_table_info(tables.name) where name = 'tenant')
        and exists (select 1 from pragma_table_info(tables.name) where name = 'user_id')`,
    )
    .all()
}

interface Waiting {
  readonly destination: Destination
  readonly userKey: string
}

const leasedAtRefiner = rows<{ tenant: string; keys: string }, { id: number }>((db, { tenant, keys }) =>
  db
    .selectFrom('outbox')
    .select('id')
    .where('state', '=', 'leased')
    .where('tenant', '=', tenant)
    .where('destination', '=', 'refiner')
    .where(sql<boolean>`+user_key in (select value from json_each(${keys}))`),
)

/** Whether something of the person is on its way to Refiner at this moment. */
export function isUnderWay(store: Store, { tenant, keys }: Person): boolean {
  return leasedAtRefiner(store, { tenant, keys: JSON.stringify(keys) }).length > 0
}

/** Lets nothing more of the person begin its way to Refiner before that moment. */
export function holdBack(store: Store, { tenant, keys }: Person, until: number): void {
  hold(store, { tenant, keys: JSON.stringify(keys), until })
}

const hold = change<{ tenant: string; keys: string; until: number }>((db, { tenant, keys, until }) =>
  db
    .updateTable('outbox')
    .set({ not_before: sql`max(not_before, ${until})` })
    .where('tenant', '=', tenant)
    .where('destination', '=', 'refiner')
    .where('user_key', 'in', listed(keys))
    .where('head', '=', 1)
    .where('state', '=', 'pending')
    .where('settled_at', 'is', null),
)

function listed(json: string) {
  return sql<string>`(select value from json_each(${json}))`
}

const openByItems = rows<{ items: string }, Waiting>((db, { items }) =>
  db
    .selectFrom('outbox')
    .select(['destination', 'user_key as userKey'])
    .distinct()
    .where('inbox_id', 'in', sql<number>`(select value from json_each(${items}))`)
    .where(sql<boolean>`+settled_at is null`),
)

const openByIds = rows<{ deliveries: string }, Waiting>((db, { deliveries }) =>
  db
    .selectFrom('outbox')
    .select(['destination', 'user_key as userKey'])
    .distinct()
    .where('id', 'in', sql<number>`(select value from json_each(${deliveries}))`)
    .where(sql<boolean>`+settled_at is null`),
)

/** What Refiner is still to delete stays: it is removed when that is done. */
const NO_ERASURE = sql<boolean>`not exists (select 1 from erasures where delivery_id = outbox.id)`

const removeByItems = change<{ items: string }>((db, { items }) =>
  db.deleteFrom('outbox').where('inbox_id', 'in', sql<number>`(select value from json_each(${items}))`),
)

const removeOpenByItems = change<{ items: string }>((db, { items }) =>
  db
    .deleteFrom('outbox')
    .where('inbox_id', 'in', sql<number>`(select value from json_each(${items}))`)
    .where(sql<boolean>`+settled_at is null`),
)

const removeByIds = change<{ deliveries: string }>((db, { deliveries }) =>
  db
    .deleteFrom('outbox')
    .where('id', 'in', sql<number>`(select value from json_each(${deliveries}))`)
    .where(NO_ERASURE),
)

const removeOpen = change<{ tenant: string; keys: string }>((db, { tenant, keys }) =>
  db
    .deleteFrom('outbox')
    .where('tenant', '=', tenant)
    .where(sql<boolean>`destination in ('segment', 'refiner')`)
    .where('user_key', 'in', listed(keys))
    .where('settled_at', 'is', null)
    .where(NO_ERASURE),
)

const removeDead = change<{ tenant: string; keys: string }>((db, { tenant, keys }) =>
  db
    .deleteFrom('outbox')
    .where('tenant', '=', tenant)
    .where('user_key', 'in', listed(keys))
    .where('state', '=', 'dead')
    .where(NO_ERASURE),
)

const removeItems = change<{ items: string }>((db, { items }) =>
  db.deleteFrom('inbox').where('id', 'in', sql<number>`(select value from json_each(${items}))`),
)

const removeResponsesOfUser = change<{ tenant: string; userIds: string }>((db, { tenant, userIds }) =>
  db.deleteFrom('responses').where('tenant', '=', tenant).where('user_id', 'in', listed(userIds)),
)

const removeResponsesOfContact = change<{ tenant: string; uuids: string }>((db, { tenant, uuids }) =>
  db
    .deleteFrom('responses')
    .where('tenant', '=', tenant)
    .where('user_id', 'is', null)
    .where('contact_uuid', 'in', listed(uuids)),
)

const removeLonelyResponses = change<{ tenant: string; responses: string }>((db, { tenant, responses }) =>
  db
    .deleteFrom('responses')
    .where('tenant', '=', tenant)
    .where('response_uuid', 'in', listed(responses))
    .where(sql<boolean>`+user_id is null`)
    .where(sql<boolean>`+contact_uuid is null`),
)

const accountsOfUser = rows<{ tenant: string; userIds: string }, { id: string }>((db, { tenant, userIds }) =>
  db
    .selectFrom('memberships')
    .select('account_id as id')
    .where('tenant', '=', tenant)
    .where('user_id', 'in', listed(userIds)),
)

/** An account of which the person was the only one is theirs. */
const removeAccounts = change<{ tenant: string; accounts: string }>((db, { tenant, accounts }) =>
  db
    .deleteFrom('accounts')
    .where('tenant', '=', tenant)
    .where('account_id', 'in', listed(accounts))
    .where((eb) =>
      eb.not(
        eb.exists(
          eb
            .selectFrom('memberships')
            .select('memberships.user_id')
            .where('memberships.tenant', '=', tenant)
            .whereRef('memberships.account_id', '=', 'accounts.account_id'),
        ),
      ),
    ),
)

const sharedOfUser = rows<{ tenant: string; userIds: string }, { kind: 'uuid' | 'email'; value: string }>(
  (db, { tenant, userIds }) =>
    db
      .selectFrom('identities')
      .select(['kind', 'value'])
      .where('tenant', '=', tenant)
      .where('user_id', 'in', listed(userIds))
      .where('shared', '=', 1),
)

/** What only one is left of is that one's. */
const unshare = change<{ tenant: string; kind: 'uuid' | 'email'; value: string }>(
  (db, { tenant, kind, value }) =>
    db
      .updateTable('identities')
      .set({ shared: 0 })
      .where('tenant', '=', tenant)
      .where('kind', '=', kind)
      .where('value', '=', value)
      .where(
        sql<boolean>`(select count(*) from identities as others
        where others.tenant = ${tenant} and others.kind = ${kind} and others.value = ${value}) = 1`,
      ),
)

/** Memberships, events and identities go with them. */
const removeUsers = change<{ tenant: string; userIds: string }>((db, { tenant, userIds }) =>
  db.deleteFrom('users').where('tenant', '=', tenant).where('user_id', 'in', listed(userIds)),
)

const removeContactIdentities = change<{ tenant: string; uuids: string }>((db, { tenant, uuids }) =>
  db.deleteFrom('contact_identities').where('tenant', '=', tenant).where('contact_uuid', 'in', listed(uuids)),
)

/** Whoever replayed this person's deliveries named them. What is not finished of it has nothing more to do. */
const blankReplays = change<{ tenant: string; keys: string; now: number }>((db, { tenant, keys, now }) =>
  db
    .updateTable('replays')
    .set({ filter: '{"forgotten":true}', finished_at: sql`coalesce(finished_at, ${now})` })
    .where(sql<boolean>`filter ->> '$.user' in (select value from json_each(${keys}))`)
    .where(sql<boolean>`coalesce(filter ->> '$.tenant', ${tenant}) = ${tenant}`),
)

/** Items of Segment that ask for somebody to be forgotten, the oldest first. */
export const forgetRequests = rows<
  {},
  { inboxId: number; tenant: string; payload: string; receivedAt: number }
>((db) =>
  db
    .selectFrom('forget_requests')
    .innerJoin('inbox', 'inbox.id', 'forget_requests.inbox_id')
    .select([
      'forget_requests.inbox_id as inboxId',
      'inbox.tenant',
      'inbox.payload',
      'inbox.received_at as receivedAt',
    ])
    .orderBy('forget_requests.inbox_id')
    .limit(sql<number>`1`),
)

const nextItem = rows<{ after: number }, { id: number }>((db, { after }) =>
  db
    .selectFrom('inbox')
    .select('id')
    .where('id', '>', after)
    .orderBy('id')
    .limit(sql<number>`1`),
)

const lastItem = rows<{}, { id: number }>((db) =>
  db.selectFrom('inbox').select(sql<number>`max(id)`.as('id')),
)

const lastDelivery = rows<{}, { id: number }>((db) =>
  db.selectFrom('outbox').select(sql<number>`max(id)`.as('id')),
)

const itemsBetween = cursor<
  { tenant: string; from: number; to: number },
  { id: number; source: Source; payload: string }
>((db, { tenant, from, to }) =>
  db
    .selectFrom('inbox')
    .select(['id', 'source', 'payload'])
    .where('id', '>=', from)
    .where('id', '<=', to)
    .where(sql<boolean>`+tenant = ${tenant}`)
    .orderBy('id'),
)

const nextDelivery = rows<{ after: number }, { id: number }>((db, { after }) =>
  db
    .selectFrom('outbox')
    .select('id')
    .where('id', '>', after)
    .orderBy('id')
    .limit(sql<number>`1`),
)

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
