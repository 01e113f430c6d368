import { createHmac } from 'node:crypto'
import { sql } from 'kysely'
import { normalEmail } from '../json/emails.ts'
import type { Store } from './open.ts'
import { change, rows } from './prepared.ts'

/** By what somebody may be known; what is not known is null. */
export interface KnownAs {
  readonly userId: string | null
  readonly email: string | null
  readonly uuid: string | null
}

export type IdentifierKind = 'user' | 'email' | 'uuid'

/**
 * Whether nothing of this person may be kept: they were forgotten or are suppressed. By the user ID, by the contact's
 * uuid, and where there is no user ID by the email: two users can have one. Costs one look where the tenant has no
 * tombstones.
 */
export function isForgotten(store: Store, tenant: string, { userId, email, uuid }: KnownAs): boolean {
  if (!hasTombstones(store, tenant)) return false
  if (userId !== null && hasTombstone(store, tenant, 'user', userId)) return true
  if (uuid !== null && hasTombstone(store, tenant, 'uuid', uuid)) return true
  return userId === null && email !== null && hasTombstone(store, tenant, 'email', email)
}

/** Whether anybody of any tenant was forgotten or is suppressed. */
export function isAnyTombstone(store: Store): boolean {
  return firstTombstone(store, {}).length > 0
}

const firstTombstone = rows<{}, { tenant: string }>((db) =>
  db
    .selectFrom('tombstones')
    .select('tenant')
    .limit(sql<number>`1`),
)

/** Whether anybody of the tenant was forgotten or is suppressed. */
export function hasTombstones(store: Store, tenant: string): boolean {
  return anyTombstone(store, { tenant }).length > 0
}

export function hasTombstone(store: Store, tenant: string, kind: IdentifierKind, value: string): boolean {
  const hash = tombstoneHash(store, tenant, kind, value)
  return hash !== null && tombstoneOf(store, { tenant, hash }).length > 0
}

/** What stands for an identifier, in hexadecimal digits; null for an email that is none. */
export function tombstoneHash(
  store: Store,
  tenant: string,
  kind: IdentifierKind,
  value: string,
): string | null {
  const normal = kind === 'email' ? normalEmail(value) : value
  if (normal === null) return null
  return createHmac('sha256', saltOf(store))
    .update(JSON.stringify([tenant, kind, normal]))
    .digest('hex')
}

export interface Tombstone extends Record<string, string | number> {
  readonly tenant: string
  readonly hash: string
  readonly kind: 'forgotten' | 'suppressed'
  readonly at: number
  readonly receipt: number
}

/** Sets it, or brings it up to date. */
export const setTombstone = change<Tombstone>((db, { tenant, hash, kind, at, receipt }) =>
  db
    .insertInto('tombstones')
    .values({ tenant, hash, kind, at, receipt_id: receipt })
    .onConflict((conflict) =>
      conflict.columns(['tenant', 'hash']).doUpdateSet({
        // Who was forgotten stays so, whatever else is asked for.
        kind: sql`iif(tombstones.kind = 'forgotten', 'forgotten', ${kind})`,
        at,
        receipt_id: receipt,
      }),
    ),
)

/** What was asked for of whoever goes by that; null when nothing was. */
export function tombstoneKind(store: Store, tenant: string, hash: string): Tombstone['kind'] | null {
  return tombstoneOf(store, { tenant, hash })[0]?.kind ?? null
}

/** Takes the tombstone away with all that were set with it; answers how many. */
export function liftTombstones(store: Store, tenant: string, hash: string): number {
  const [found] = tombstoneOf(store, { tenant, hash })
  return found === undefined ? 0 : removeTombstones(store, { receipt: found.receipt })
}

const tombstoneOf = rows<{ tenant: string; hash: string }, { receipt: number; kind: Tombstone['kind'] }>(
  (db, { tenant, hash }) =>
    db
      .selectFrom('tombstones')
      .select(['receipt_id as receipt', 'kind'])
      .where('tenant', '=', tenant)
      .where('hash', '=', hash),
)

const removeTombstones = change<{ receipt: number }>((db, { receipt }) =>
  db.deleteFrom('tombstones').where('receipt_id', '=', receipt),
)

const anyTombstone = rows<{ tenant: string }, { tenant: string }>((db, { tenant }) =>
  db
    .selectFrom('tombstones')
    .select('tenant')
    .where('tenant', '=', tenant)
    .limit(sql<number>`1`),
)

const salts = new WeakMap<Store, Buffer>()

function saltOf(store: Store): Buffer {
  let salt = salts.get(store)
  if (salt === undefined) {
    salt = Buffer.from(readSalt(store, {})[0]!.salt, 'hex')
    salts.set(store, salt)
  }
  return salt
}

const readSalt = rows<{}, { salt: string }>((db) => db.selectFrom('privacy_salt').select('salt'))
