import { sql } from 'kysely'
import type { Clock } from '../contracts/clock.ts'
import type { JsonObject, JsonValue } from '../contracts/json.ts'
import { normalEmail } from '../json/emails.ts'
import { isObject } from '../json/objects.ts'
import type { Store } from './open.ts'
import { cursor, rows } from './prepared.ts'

/** Users as the operator lists them. */
export interface UserSummary {
  readonly row: number
  readonly tenant: string
  readonly userId: string
  readonly email: string | null
  readonly refinerUuid: string | null
  /** In ms since 1970. */
  readonly firstSeenAt: number
  readonly lastSeenAt: number
}

/** Which users are meant; null where all are. */
export interface UserFilter {
  readonly tenant: string | null
  /** One that the user has or had. */
  readonly email: string | null
  readonly trait: { readonly name: string; readonly value: string } | null
  /** Whose member the user is. */
  readonly account: string | null
  /** A part of the user ID or the email, in small or capital letters. */
  readonly search: string | null
  /** Only users that stand before this one in the order of their arrival; null: from the newest on. */
  readonly before: number | null
  readonly limit: number
}

/** A part of a list. */
export interface ListedUsers {
  readonly users: readonly UserSummary[]
  /** How many were looked at. */
  readonly looked: number
  /** What to go on `before`; null when there is nothing further down. */
  readonly before: number | null
}

/** So many are looked at in one step, and so long. */
const LOOKED_AT_ONCE = 2000
const STEP_MS = 4

/** Some of the users that fit, the last to arrive first. */
export function listUsersPart(store: Store, filter: UserFilter, clock: Clock): ListedUsers {
  if (filter.email !== null) return byEmail(store, filter)
  const { tenant, account, search, before, limit } = filter
  const until = clock.elapsed() + STEP_MS
  const high = highestBelow(store, { below: before ?? Number.MAX_SAFE_INTEGER })[0]?.row
  if (high === undefined) return { users: [], looked: 0, before: null }
  const low = high - LOOKED_AT_ONCE + 1
  const users: UserSummary[] = []
  let last = low
  const part = { tenant, account, low, high }
  const found = filter.trait === null ? slice(store, part) : sliceWithTraits(store, part)
  for (const user of found) {
    if (matches(user, search) && hasTrait(user.traits, filter.trait)) users.push(user)
    if (users.length < limit && clock.elapsed() < until) continue
    last = user.row
    break
  }
  return { users, looked: high - last + 1, before: last > 1 ? last : null }
}

function byEmail(store: Store, filter: UserFilter): ListedUsers {
  const { tenant, account, search, trait, before, limit } = filter
  const email = normalEmail(filter.email)
  if (email === null) return { users: [], looked: 0, before: null }
  const below = before ?? Number.MAX_SAFE_INTEGER
  const tenants = tenant === null ? tenantsWithUsers(store) : [tenant]
  const found = [...tenants]
    .flatMap((one) => usersOfEmail(store, { tenant: one, email, account, below, limit: LOOKED_AT_ONCE }))
    .toSorted((one, other) => other.row - one.row)
    .filter((user) => matches(user, search) && hasTrait(user.traits, trait))
  const users = found.slice(0, limit)
  return { users, looked: found.length, before: found.length > limit ? users.at(-1)!.row : null }
}

function matches({ userId, email }: UserSummary, search: string | null): boolean {
  if (search === null) return true
  const part = search.toLowerCase()
  return userId.toLowerCase().includes(part) || (email !== null && email.toLowerCase().includes(part))
}

/** A trait by its name, or by its path where it stands inside of others; one of a list is enough. */
function hasTrait(traits: string | null, wanted: UserFilter['trait']): boolean {
  if (wanted === null) return true
  // Hardly a profile has the name in it: those need not be parsed.
  const names = [wanted.name, wanted.name.split('.')[0]].map((name) => JSON.stringify(name))
  if (traits === null || !names.some((name) => traits.includes(name))) return false
  return isValue(traitAt(JSON.parse(traits) as JsonObject, wanted.name), wanted.value)
}

function traitAt(traits: JsonObject, name: string): JsonValue | undefined {
  if (Object.hasOwn(traits, name)) return traits[name]
  let value: JsonValue | undefined = traits
  for (const part of name.split('.')) {
    value = isObject(value) && Object.hasOwn(value, part) ? value[part] : undefined
  }
  return value
}

function isValue(value: JsonValue | undefined, wanted: string): boolean {
  if (Array.isArray(value)) return value.some((one) => isValue(one, wanted))
  return value !== undefined && typeof value !== 'object'
    ? String(value) === wanted
    : value === null && wanted === 'null'
}

/** The tenants that have users, whether or not the configuration knows them. */
export function* tenantsWithUsers(store: Store): Generator<string> {
  for (let [next] = nextTenant(store, { after: '' }); next;) {
    yield next.tenant
    ;[next] = nextTenant(store, { after: next.tenant })
  }
}

/** Those of whom anything was received. */
export function* tenantsWithItems(store: Store): Generator<string> {
  for (let [next] = nextItemTenant(store, { after: '' }); next;) {
    yield next.tenant
    ;[next] = nextItemTenant(store, { after: next.tenant })
  }
}

const nextItemTenant = rows<{ after: string }, { tenant: string }>((db, { after }) =>
  db
    .selectFrom('inbox')
    .select('tenant')
    .where('tenant', '>', after)
    .orderBy('tenant')
    .limit(sql<number>`1`),
)

const nextTenant = rows<{ after: string }, { tenant: string }>((db, { after }) =>
  db
    .selectFrom('users')
    .select('tenant')
    .where('tenant', '>', after)
    .orderBy('tenant')
    .limit(sql<number>`1`),
)

const SUMMARY = [
  sql<number>`users.rowid`.as('row'),
  'users.tenant',
  'users.user_id as userId',
  'users.email',
  'users.refiner_uuid as refinerUuid',
  'users.first_seen_at as firstSeenAt',
  'users.last_seen_at as lastSeenAt',
] as const

const highestBelow = rows<{ below: number }, { row: number }>((db, { below }) =>
  db
    .selectFrom('users')
    .select(sql<number>`rowid`.as('row'))
    .where(sql<boolean>`rowid < ${below}`)
    .orderBy(sql`rowid`, 'desc')
    .limit(sql<number>`1`),
)

interface Part extends Record<string, string | number | null> {
  readonly tenant: string | null
  readonly account: string | null
  readonly low: number
  readonly high: number
}

const isMember = (account: string | null) => sql<boolean>`(${account} is null or exists (
  select 1 from memberships where memberships.tenant = users.tenant and memberships.user_id = users.user_id
    and memberships.account_id = ${account}))`

const sliceOf = (traits: 'traits' | 'null') =>
  cursor<Part, UserSummary & { traits: string | null }>((db, { tenant, account, low, high }) =>
    db
      .selectFrom('users')
      .select(SUMMARY)
      .select(sql<string | null>`${sql.raw(traits)}`.as('traits'))
      .where(sql<boolean>`rowid between ${low} and ${high}`)
      .where(sql<boolean>`(${tenant} is null or tenant = ${tenant})`)
      .where(isMember(account))
      .orderBy(sql`rowid`, 'desc'),
  )

const slice = sliceOf('null')
/** Traits may be long: they are read only where they are asked for. */
const sliceWithTraits = sliceOf('traits')

const usersOfEmail = rows<
  { tenant: string; email: string; account: string | null; below: number; limit: number },
  UserSummary & { traits: string }
>((db, { tenant, email, account, below, limit }) =>
  db
    .selectFrom('identities')
    .innerJoin('users', (join) =>
      join.onRef('users.tenant', '=', 'identities.tenant').onRef('users.user_id', '=', 'identities.user_id'),
    )
    .select([...SUMMARY, 'users.traits'])
    .where('identities.tenant', '=', tenant)
    .where('identities.kind', '=', 'email')
    .where('identities.value', '=', email)
    .where(sql<boolean>`users.rowid < ${below}`)
    .where(isMember(account))
    .orderBy(sql`users.rowid`, 'desc')
    .limit(limit),
)
