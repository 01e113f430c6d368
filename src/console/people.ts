import type { EmailConflict } from '../store/email-conflicts.ts'
import type { Whom } from '../store/identities.ts'
import type { Person } from '../store/person.ts'
import type { ExportHead, ExportPart, Place, Section } from '../store/person-export.ts'
import type { Profile } from '../store/profiles.ts'
import type { ListedUsers, UserFilter, UserSummary } from '../store/users.ts'
import { json, refusal } from './answers.ts'
import { idOf, unknownIn } from './query.ts'
import { profile, summary } from './shown-user.ts'

/** The people, as far as the operator's API needs them. Each call is some milliseconds of work at most. */
export interface People {
  /** Lets everything else have its turn, before it is gone on with something long. */
  rest(): Promise<void>
  /** Milliseconds since some moment. */
  elapsed(): number
  /** Those of the configuration, and those of which anything is kept. */
  tenants(): readonly string[]
  hasUser(tenant: string, userId: string): boolean
  listPart(filter: UserFilter): ListedUsers
  find(tenant: string, userId: string): Profile | null
  conflicts(tenant: string, limit: number, after: string): readonly EmailConflict[]
  person(tenant: string, whom: Whom): Person
  exportHead(person: Person): ExportHead
  exportPart(person: Person, section: Section, place: Place | null): ExportPart
}

const USUAL_LIMIT = 100
const HIGHEST_LIMIT = 500

/** So many users are looked at for one list; a header of the answer says where to go on. */
const MOST_LOOKED_AT = 200_000

/**
 * GET /api/users?tenant=&email=&trait=name=value&account=&search=&before=&limit=, the last to arrive first. Where it
 * stopped before the first one, the header `x-next-before` has what to go on `before`.
 */
export async function listUsers(
  people: People,
  query: URLSearchParams,
  isStopping: () => boolean,
): Promise<Response> {
  const filter = filterOf(query)
  if (typeof filter === 'string') return refusal(400, filter)
  const { limit } = filter
  let { before } = filter
  const found: UserSummary[] = []
  for (let looked = 0; looked < MOST_LOOKED_AT && found.length < limit; await people.rest()) {
    if (isStopping()) return refusal(503, 'refiner-sync is stopping')
    const part = people.listPart({ ...filter, before, limit: limit - found.length })
    found.push(...part.users)
    looked += part.looked
    before = part.before
    if (before === null) break
  }
  return json(found.map(summary), 200, before === null ? {} : { 'x-next-before': String(before) })
}

function filterOf(query: URLSearchParams): UserFilter | string {
  const unknown = unknownIn(query, ['tenant', 'email', 'trait', 'account', 'search', 'before', 'limit'])
  if (unknown !== null) return unknown
  const written = query.get('trait')
  const [, name, value] = /^([^=]+)=(.*)$/s.exec(written ?? '') ?? []
  if (written !== null && name === undefined) return 'trait is a name and a value, such as trait=plan=pro'
  const start = query.get('before')
  const before = start === null ? null : idOf(start)
  if (start !== null && before === null) return 'before is the x-next-before of an answer'
  return {
    tenant: query.get('tenant'),
    email: query.get('email'),
    trait: name === undefined ? null : { name, value: value! },
    account: query.get('account'),
    search: query.get('search'),
    before,
    limit: limitOf(query),
  }
}

/** GET /api/users/:id?tenant= and GET /api/user?id=&tenant=: all that is known of a user. */
export function showUser(people: People, id: string | null, query: URLSearchParams): Response {
  const unknown = unknownIn(query, id === null ? ['id', 'tenant'] : ['tenant'])
  if (unknown !== null) return refusal(400, unknown)
  const userId = id ?? query.get('id')
  if (userId === null) return refusal(400, 'name the user by its ID, as id')
  const tenant = tenantFor(people, userId, query.get('tenant'))
  if (tenant instanceof Response) return tenant
  const found = people.find(tenant, userId)
  return found === null ? refusal(404, `${tenant} has no user of that ID`) : json(profile(found))
}

/** A tenant that is named in a query and is none: a list of what it has would be empty, as if nothing had come. */
export function noSuchTenant(query: URLSearchParams, people: Pick<People, 'tenants'>): Response | null {
  const [named, another] = query.getAll('tenant')
  // Several are refused as what they are.
  if (named === undefined || another !== undefined) return null
  const tenants = people.tenants()
  if (tenants.includes(named)) return null
  const those = tenants.length === 0 ? 'there are none' : `there is ${listed(tenants)}`
  return refusal(404, `there is no tenant ${named.slice(0, 63)}; ${those}`)
}

/**
 * The tenant that is named; without a name, the only one there is, or the only one that has a user of that ID. An answer
 * that says what to do when that does not tell.
 */
export function tenantFor(people: People, userId: string | null, named: string | null): string | Response {
  if (named !== null) return named
  const tenants = people.tenants()
  const [only, second] = tenants
  if (only === undefined) return refusal(404, 'there are no tenants')
  if (second === undefined) return only
  const having = userId === null ? tenants : tenants.filter((tenant) => people.hasUser(tenant, userId))
  const [one, other] = having
  if (one === undefined) return refusal(404, 'no tenant has a user of that ID')
  return other === undefined ? one : refusal(400, `name the tenant: ${listed(having)}`)
}

const MOST_NAMED = 20

/** Some names of tenants, as messages list them. */
export function listed(tenants: readonly string[]): string {
  const more = tenants.length - MOST_NAMED
  return `${tenants.slice(0, MOST_NAMED).join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}

const MOST_CONFLICTS = 100

/**
 * GET /api/conflicts?tenant=&after=&limit=: the emails that belong to several user IDs of a tenant, in the order of the
 * alphabet, behind `after`.
 */
export function listConflicts(people: People, query: URLSearchParams): Response {
  const unknown = unknownIn(query, ['tenant', 'after', 'limit'])
  if (unknown !== null) return refusal(400, unknown)
  const tenant = tenantFor(people, null, query.get('tenant'))
  if (tenant instanceof Response) return tenant
  const found = people.conflicts(tenant, Math.min(limitOf(query), MOST_CONFLICTS), query.get('after') ?? '')
  return json(found.map(({ email, users, userIds }) => ({ tenant, email, users, user_ids: userIds })))
}

function limitOf(query: URLSearchParams): number {
  const limit = Number(query.get('limit') ?? USUAL_LIMIT)
  return Number.isInteger(limit) && limit > 0 ? Math.min(limit, HIGHEST_LIMIT) : USUAL_LIMIT
}
