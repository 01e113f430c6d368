import { sql } from 'kysely'
import type { Store } from './open.ts'
import { rows } from './prepared.ts'

/** An email that was seen with several user IDs of a tenant: either one person has two, or two persons share it. */
export interface EmailConflict {
  readonly email: string
  /** How many user IDs; of very many no more than 100 are counted. */
  readonly users: number
  /** The first of them, 20 at most. */
  readonly userIds: readonly string[]
}

const MOST_COUNTED = 100
const MOST_NAMED = 20

/** The emails of a tenant that belong to several user IDs, in the order of the alphabet, behind `after`. */
export function emailConflicts(store: Store, tenant: string, limit: number, after = ''): EmailConflict[] {
  const conflicts: EmailConflict[] = []
  for (let last = after; conflicts.length < limit;) {
    const [next] = nextShared(store, { tenant, after: last })
    if (next === undefined) break
    const { email } = next
    last = email
    const owners = ownersOf(store, { tenant, email, most: MOST_COUNTED }).map(({ userId }) => userId)
    // Of what was shared once the others may have been forgotten since.
    if (owners.length > 1) {
      conflicts.push({ email, users: owners.length, userIds: owners.slice(0, MOST_NAMED) })
    }
  }
  return conflicts
}

/** One step down the index, however many share an email. */
const nextShared = rows<{ tenant: string; after: string }, { email: string }>((db, { tenant, after }) =>
  db
    .selectFrom('identities')
    .select('value as email')
    .where('shared', '=', 1)
    .where('tenant', '=', tenant)
    .where('kind', '=', 'email')
    .where('value', '>', after)
    .orderBy('value')
    .limit(sql<number>`1`),
)

const ownersOf = rows<{ tenant: string; email: string; most: number }, { userId: string }>(
  (db, { tenant, email, most }) =>
    db
      .selectFrom('identities')
      .select('user_id as userId')
      .where('tenant', '=', tenant)
      .where('kind', '=', 'email')
      .where('value', '=', email)
      .orderBy('user_id')
      .limit(most),
)
