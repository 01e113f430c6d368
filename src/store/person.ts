import type { Source } from '../contracts/inbox.ts'
import type { JsonValue } from '../contracts/json.ts'
import { normalEmail } from '../json/emails.ts'
import { isObject } from '../json/objects.ts'
import { parseExact } from '../json/parse-exact.ts'
import { identifier } from '../json/texts.ts'
import { type Identifiers, identifiersOf, type Whom } from './identities.ts'
import type { Store } from './open.ts'
import { rows } from './prepared.ts'

/** A person of a tenant, with all by which their rows are found. */
export interface Person {
  readonly tenant: string
  readonly identifiers: Identifiers
  /** Under which deliveries of theirs may stand: user ID, else email or uuid, as the mapping worded it. */
  readonly keys: readonly string[]
}

export function personOf(store: Store, tenant: string, whom: Whom): Person {
  const identifiers = identifiersOf(store, tenant, whom)
  const { userIds, emails, uuids } = identifiers
  const written = userIds
    .flatMap((userId) => emailOf(store, { tenant, userId }).map(({ email }) => email))
    .filter((email) => email !== null && emails.includes(normalEmail(email) ?? ''))
  const others = [...emails, ...uuids, ...written]
    // Some name their users by their emails: then the email as a key is that user's.
    .filter((key) => key !== null && !userIds.includes(key))
    .filter((key) => emailOf(store, { tenant, userId: key! }).length === 0)
  return { tenant, identifiers, keys: [...new Set([...userIds, ...others])] as string[] }
}

/** As it came; nothing where there is no such user. */
const emailOf = rows<{ tenant: string; userId: string }, { email: string | null }>((db, { tenant, userId }) =>
  db.selectFrom('users').select('email').where('tenant', '=', tenant).where('user_id', '=', userId),
)

/**
 * Whether an inbox item is about the person: by its user ID where it has one, whoever's else it names, and by
 * its uuids and email where it has none.
 */
export function isAbout(
  { userIds, emails, uuids }: Identifiers,
  { source, payload }: { readonly source: Source; readonly payload: string },
): boolean {
  const body = parseExact(payload) as JsonValue
  if (!isObject(body)) return false
  const userId = identifier(body[source === 'segment' ? 'userId' : 'remote_id'])
  if (userId !== null) return userIds.includes(userId)
  const isTheirs = (name: string) => uuids.includes(identifier(body[name]) ?? '')
  if (isTheirs('uuid') || isTheirs('cookie_uuid')) return true
  const email = normalEmail(body['email'])
  return email !== null && emails.includes(email)
}
