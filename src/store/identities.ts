import { sql } from 'kysely'
import { normalEmail } from '../json/emails.ts'
import type { Store } from './open.ts'
import { touchUser } from './people.ts'
import { change, rows } from './prepared.ts'

/**
 * Who is who. A user ID is a person for certain. A uuid or an email belongs to the user IDs that it was seen with; what
 * belongs to two of them is nobody's for certain. Contacts without a user ID are joined to whom they share a uuid or
 * an email with, unless that leads to two user IDs.
 */

export type IdentityKind = 'uuid' | 'email'

/**
 * Makes sure that the user exists and was seen at `now`, and links it with what is new of its email and uuid; what is
 * null leaves what was known. Answers what is known of its traits. Where nothing is new it is one statement.
 */
export function seeUser(
  store: Store,
  user: { tenant: string; userId: string; email: string | null; refinerUuid: string | null; now: number },
): string {
  const { tenant, userId, email, refinerUuid, now } = user
  const [known] = sawUser(store, { tenant, userId, now })
  const isNews = (given: string | null, before: string | null | undefined) =>
    given !== null && given !== before
  const newEmail = isNews(email, known?.email)
  const newUuid = isNews(refinerUuid, known?.refinerUuid)
  if (known !== undefined && !newEmail && !newUuid) return known.traits
  const [touched] = touchUser(store, user)
  if (newUuid) linkUser(store, { tenant, userId, kind: 'uuid', value: refinerUuid!, now })
  if (newEmail) linkUser(store, { tenant, userId, kind: 'email', value: email!, now })
  return touched!.traits
}

const sawUser = rows<
  { tenant: string; userId: string; now: number },
  { traits: string; email: string | null; refinerUuid: string | null }
>((db, { tenant, userId, now }) =>
  db
    .updateTable('users')
    .set({ last_seen_at: sql`max(last_seen_at, ${now})` })
    .where('tenant', '=', tenant)
    .where('user_id', '=', userId)
    .returning(['traits', 'email', 'refiner_uuid as refinerUuid']),
)

interface Identity {
  readonly tenant: string
  readonly kind: IdentityKind
  readonly value: string
  readonly now: number
}

/** Records what a user is known by. The user must exist. An email that is none is left out. */
function linkUser(store: Store, identity: Identity & { readonly userId: string }): void {
  const value = normalValue(identity.kind, identity.value)
  if (value === null) return
  const { tenant, kind, userId, now } = identity
  const one = { tenant, kind, value, userId }
  // Most is known already, and to look is cheaper than to try to write.
  if (findIdentity(store, one).length > 0) return
  const others = ownersOf(store, { tenant, kind, value, most: 2 }).length
  insertIdentity(store, { ...one, shared: others > 0 ? 1 : 0, now })
  // Where there were several before, they are marked.
  if (others === 1) markShared(store, { tenant, kind, value })
}

const findIdentity = rows<
  { tenant: string; kind: IdentityKind; value: string; userId: string },
  { found: 1 }
>((db, { tenant, kind, value, userId }) =>
  db
    .selectFrom('identities')
    .select(sql<1>`1`.as('found'))
    .where('tenant', '=', tenant)
    .where('user_id', '=', userId)
    .where('kind', '=', kind)
    .where('value', '=', value),
)

const insertIdentity = change<{
  tenant: string
  kind: IdentityKind
  value: string
  userId: string
  shared: 0 | 1
  now: number
}>((db, { tenant, kind, value, userId, shared, now }) =>
  db.insertInto('identities').values({ tenant, kind, value, user_id: userId, shared, first_seen_at: now }),
)

const markShared = change<{ tenant: string; kind: IdentityKind; value: string }>(
  (db, { tenant, kind, value }) =>
    db
      .updateTable('identities')
      .set({ shared: 1 })
      .where('tenant', '=', tenant)
      .where('kind', '=', kind)
      .where('value', '=', value),
)

/** Records what else a contact is known by: its user where it has one, which must exist, else itself. */
export function linkContact(
  store: Store,
  contact: {
    tenant: string
    uuid: string
    userId: string | null
    email: string | null
    cookieUuid: string | null
    now: number
  },
): void {
  const { tenant, uuid, userId, email, cookieUuid, now } = contact
  const link = (kind: IdentityKind, given: string | null) => {
    if (given === null) return
    if (userId !== null) return linkUser(store, { tenant, userId, kind, value: given, now })
    const value = normalValue(kind, given)
    if (value === null || findContactIdentity(store, { tenant, uuid, kind, value }).length > 0) return
    insertContactIdentity(store, { tenant, uuid, kind, value, now })
  }
  link('email', email)
  if (cookieUuid !== uuid) link('uuid', cookieUuid)
}

const findContactIdentity = rows<
  { tenant: string; uuid: string; kind: IdentityKind; value: string },
  { found: 1 }
>((db, { tenant, uuid, kind, value }) =>
  db
    .selectFrom('contact_identities')
    .select(sql<1>`1`.as('found'))
    .where('tenant', '=', tenant)
    .where('contact_uuid', '=', uuid)
    .where('kind', '=', kind)
    .where('value', '=', value),
)

const insertContactIdentity = change<{
  tenant: string
  uuid: string
  kind: IdentityKind
  value: string
  now: number
}>((db, { tenant, uuid, kind, value, now }) =>
  db
    .insertInto('contact_identities')
    .values({ tenant, contact_uuid: uuid, kind, value, first_seen_at: now })
    .onConflict((conflict) => conflict.columns(['tenant', 'contact_uuid', 'kind', 'value']).doNothing()),
)

function normalValue(kind: IdentityKind, value: string): string | null {
  return kind === 'email' ? normalEmail(value) : value
}

/** What belongs to one person for certain. */
export interface Identifiers {
  /** One at most; none of a contact that was never identified. */
  readonly userIds: readonly string[]
  /** In their normal form, see `normalEmail`. */
  readonly emails: readonly string[]
  /** Refiner's, of the contact and of those that it was before it was identified. */
  readonly uuids: readonly string[]
  /** What the person is known by and others are, too: not theirs for certain, nor what is known by it alone. */
  readonly shared: readonly SharedIdentity[]
  /** False when so much hangs together that not all of it was followed. */
  readonly complete: boolean
}

export interface SharedIdentity {
  readonly kind: IdentityKind
  readonly value: string
  /** The first of them, 20 at most. */
  readonly userIds: readonly string[]
}

export type Whom = { readonly userId: string } | { readonly email: string } | { readonly uuid: string }

/**
 * All identifiers of one person, found by one of them, which is among the answer unless it is shared or no email. Of a
 * user ID nobody asks whether there is such a user. Reads indexes only, and so much of them at most.
 */
export function identifiersOf(store: Store, tenant: string, whom: Whom): Identifiers {
  if ('userId' in whom) return new Search(store, tenant).user(whom.userId)
  if ('uuid' in whom) return new Search(store, tenant).value({ kind: 'uuid', value: whom.uuid })
  const email = normalEmail(whom.email)
  return email === null ? NOBODY : new Search(store, tenant).value({ kind: 'email', value: email })
}

const NOBODY: Identifiers = { userIds: [], emails: [], uuids: [], shared: [], complete: true }

const MOST_FOLLOWED = 2000
const MOST_OWNERS = 20

interface Node {
  readonly kind: IdentityKind
  readonly value: string
}

/** What hangs together without a user ID, and the user IDs that it leads to. */
interface Component {
  readonly nodes: readonly Node[]
  readonly users: ReadonlySet<string>
}

class Search {
  readonly #nodes = new Map<string, Node>()
  readonly #shared = new Map<string, SharedIdentity>()
  readonly #owners = new Map<string, readonly string[]>()
  #left = MOST_FOLLOWED

  constructor(
    private readonly store: Store,
    private readonly tenant: string,
  ) {}

  user(userId: string): Identifiers {
    const { store, tenant } = this
    const visited = new Set<string>()
    for (const node of identitiesOf(store, { tenant, userId, most: MOST_FOLLOWED })) {
      this.#left -= 1
      if (this.#ownersOf(node).length > 1) {
        this.#share(node)
        continue
      }
      this.#nodes.set(keyOf(node), node)
      for (const next of this.#neighbours(node)) {
        if (visited.has(keyOf(next)) || this.#ownersOf(next).length > 0) continue
        const { nodes, users } = this.#component(next)
        for (const one of nodes) visited.add(keyOf(one))
        // What was not followed to its end may lead to somebody else.
        if (users.size > 1 || this.#left <= 0) continue
        for (const one of nodes) this.#nodes.set(keyOf(one), one)
      }
    }
    return this.#answer([userId])
  }

  value(node: Node): Identifiers {
    const owners = this.#ownersOf(node)
    if (owners.length > 1) return this.#share(node)
    const { nodes, users } =
      owners.length === 1 ? { nodes: [node], users: new Set(owners) } : this.#component(node)
    const [userId, other] = users
    this.#nodes.set(keyOf(node), node)
    if (this.#left <= 0) return this.#answer([])
    if (other !== undefined) {
      this.#shared.set(keyOf(node), { ...node, userIds: [...users].slice(0, MOST_OWNERS) })
      return this.#answer([])
    }
    for (const one of nodes) this.#nodes.set(keyOf(one), one)
    return userId === undefined ? this.#answer([]) : this.user(userId)
  }

  #share({ kind, value }: Node): Identifiers {
    const node = { kind, value }
    this.#shared.set(keyOf(node), { ...node, userIds: this.#ownersOf(node) })
    return this.#answer([])
  }

  #answer(userIds: readonly string[]): Identifiers {
    const values = (kind: IdentityKind) =>
      [...this.#nodes.values()]
        .filter((node) => node.kind === kind)
        .map(({ value }) => value)
        .toSorted()
    return {
      userIds,
      emails: values('email'),
      uuids: values('uuid'),
      shared: [...this.#shared.values()],
      complete: this.#left > 0,
    }
  }

  /** Follows what belongs to no user, as far as what belongs to one. */
  #component(start: Node): Component {
    const seen = new Map([[keyOf(start), start]])
    const users = new Set<string>()
    // What is added on the way is gone through as well.
    for (const node of seen.values()) {
      for (const next of this.#neighbours(node)) {
        if (seen.has(keyOf(next))) continue
        const owners = this.#ownersOf(next)
        for (const owner of owners) users.add(owner)
        if (owners.length === 0) seen.set(keyOf(next), next)
      }
    }
    return { nodes: [...seen.values()], users }
  }

  #neighbours({ kind, value }: Node): readonly Node[] {
    const { store, tenant } = this
    if (this.#left <= 0) return []
    const most = this.#left
    const found = contactsBy(store, { tenant, kind, value, most }).map(({ uuid }) => uuidNode(uuid))
    if (kind === 'uuid') found.push(...valuesOf(store, { tenant, uuid: value, most }))
    this.#left -= found.length
    return found
  }

  #ownersOf(node: Node): readonly string[] {
    const key = keyOf(node)
    const known = this.#owners.get(key)
    if (known !== undefined) return known
    const { store, tenant } = this
    const { kind, value } = node
    const found = ownersOf(store, { tenant, kind, value, most: MOST_OWNERS }).map(({ userId }) => userId)
    this.#owners.set(key, found)
    return found
  }
}

function uuidNode(value: string): Node {
  return { kind: 'uuid', value }
}

function keyOf({ kind, value }: Node): string {
  return `${kind} ${value}`
}

const identitiesOf = rows<{ tenant: string; userId: string; most: number }, Node>(
  (db, { tenant, userId, most }) =>
    db
      .selectFrom('identities')
      .select(['kind', 'value'])
      .where('tenant', '=', tenant)
      .where('user_id', '=', userId)
      .limit(most),
)

const ownersOf = rows<
  { tenant: string; kind: IdentityKind; value: string; most: number },
  { userId: string }
>((db, { tenant, kind, value, most }) =>
  db
    .selectFrom('identities')
    .select('user_id as userId')
    .where('tenant', '=', tenant)
    .where('kind', '=', kind)
    .where('value', '=', value)
    .limit(most),
)

const contactsBy = rows<
  { tenant: string; kind: IdentityKind; value: string; most: number },
  { uuid: string }
>((db, { tenant, kind, value, most }) =>
  db
    .selectFrom('contact_identities')
    .select('contact_uuid as uuid')
    .where('tenant', '=', tenant)
    .where('kind', '=', kind)
    .where('value', '=', value)
    .limit(most),
)

const valuesOf = rows<{ tenant: string; uuid: string; most: number }, Node>((db, { tenant, uuid, most }) =>
  db
    .selectFrom('contact_identities')
    .select(['kind', 'value'])
    .where('tenant', '=', tenant)
    .where('contact_uuid', '=', uuid)
    .limit(most),
)
