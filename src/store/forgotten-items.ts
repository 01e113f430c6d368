import type { Source } from '../contracts/inbox.ts'
import type { JsonValue } from '../contracts/json.ts'
import { isObject } from '../json/objects.ts'
import { parseExact } from '../json/parse-exact.ts'
import { identifier, text } from '../json/texts.ts'
import type { Store } from './open.ts'
import { change } from './prepared.ts'
import { forgetPlaces } from './places.ts'
import { hasTombstone, hasTombstones, isForgotten } from './tombstones.ts'

/**
 * Whether an inbox item is of somebody of whom nothing may be kept. A deletion never is: it is to be done, whoever it
 * names. Reads the item only where the tenant has tombstones.
 */
export function isItemOfForgotten(
  store: Store,
  { tenant, source, payload }: { readonly tenant: string; readonly source: Source; readonly payload: string },
): boolean {
  if (!hasTombstones(store, tenant)) return false
  let body: JsonValue
  try {
    body = parseExact(payload) as JsonValue
  } catch {
    // The mapping says what is wrong with it.
    return false
  }
  if (!isObject(body)) return false
  if (source === 'segment') {
    if (body['type'] === 'delete') return false
    return isForgotten(store, tenant, { userId: identifier(body['userId']), email: null, uuid: null })
  }
  const userId = identifier(body['remote_id'])
  const email = text(body['email'])
  if (isForgotten(store, tenant, { userId, email, uuid: identifier(body['uuid']) })) return true
  // Several may share a device: there the user ID tells.
  return (
    userId === null && isForgotten(store, tenant, { userId, email, uuid: identifier(body['cookie_uuid']) })
  )
}

/** To whom nothing may be sent, though what others said is made into it; each asked once in a transaction. */
export class ForgottenKeys {
  readonly #tenants = new Map<string, boolean>()
  readonly #keys = new Map<string, boolean>()

  constructor(private readonly store: Store) {}

  has(tenant: string, userKey: string): boolean {
    let any = this.#tenants.get(tenant)
    if (any === undefined) {
      any = hasTombstones(this.store, tenant)
      this.#tenants.set(tenant, any)
    }
    if (!any || userKey === '') return false
    const key = `${tenant} ${userKey}`
    let known = this.#keys.get(key)
    if (known === undefined) {
      known = (['user', 'email', 'uuid'] as const).some((kind) =>
        hasTombstone(this.store, tenant, kind, userKey),
      )
      this.#keys.set(key, known)
    }
    return known
  }
}

/** Removes an item of which nothing is kept. One that became something before stays, as mapped: it is being replayed. */
export function dropItem(store: Store, id: number): void {
  forgetPlaces(store, { inboxId: id })
  if (removeUnmapped(store, { id }) === 0) leaveMapped(store, { id })
}

const removeUnmapped = change<{ id: number }>((db, { id }) =>
  db
    .deleteFrom('inbox')
    .where('id', '=', id)
    .where('state', '=', 'received')
    .where((eb) =>
      eb.not(
        eb.exists(eb.selectFrom('outbox').select('outbox.id').whereRef('outbox.inbox_id', '=', 'inbox.id')),
      ),
    ),
)

const leaveMapped = change<{ id: number }>((db, { id }) =>
  db.updateTable('inbox').set({ state: 'mapped' }).where('id', '=', id),
)

/** Notes that an item of Segment asks for somebody to be forgotten, until that is done. */
export const requestForget = change<{ inboxId: number }>((db, { inboxId }) =>
  db
    .insertInto('forget_requests')
    .values({ inbox_id: inboxId })
    .onConflict((conflict) => conflict.column('inbox_id').doNothing()),
)
