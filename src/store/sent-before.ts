import { createHash } from 'node:crypto'
import type { Store } from './open.ts'
import { change, rows } from './prepared.ts'

/**
 * What was delivered to Segment and has been removed since. As long as a delivery is kept, its message ID says that it
 * went out; afterwards this does, so that bringing over the past does not send it once more.
 */

/** The message IDs of an interaction have this much in common: see `mapping/message-id.ts`. */
const SHARED = /^refiner-sync-[0-9a-f]{32}-/

/** What stands for an interaction and its user, by any of its message IDs; null for a message that is not of one. */
function keyOf(messageId: string, userKey: string): string | null {
  const shared = SHARED.exec(messageId)?.[0]
  if (shared === undefined) return null
  return createHash('sha256').update(shared).update(userKey).digest('base64url').slice(0, 22)
}

/** Keeps in mind that a message went out. To be called in the transaction that removes its delivery. */
export function keepAsSent(store: Store, tenant: string, messageId: string, userKey: string): void {
  const key = keyOf(messageId, userKey)
  if (key !== null) insertSent(store, { tenant, key })
}

/** Whether messages of the interaction about that user went out and have been removed since. */
export function wasSent(store: Store, tenant: string, messageId: string, userKey: string): boolean {
  const key = keyOf(messageId, userKey)
  return key !== null && sent(store, { tenant, key }).length > 0
}

const insertSent = change<{ tenant: string; key: string }>((db, { tenant, key }) =>
  db
    .insertInto('sent_before')
    .values({ tenant, key })
    .onConflict((conflict) => conflict.columns(['tenant', 'key']).doNothing()),
)

const sent = rows<{ tenant: string; key: string }, { key: string }>((db, { tenant, key }) =>
  db.selectFrom('sent_before').select('key').where('tenant', '=', tenant).where('key', '=', key),
)
