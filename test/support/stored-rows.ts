import type { Store } from '../../src/store/open.ts'

/** A delivery of a stored item. */
export interface StoredDelivery {
  readonly state: 'pending' | 'delivered' | 'dead' | 'skipped'
  /** In ms since 1970; of one that is pending it does not matter. */
  readonly settledAt: number
}

/** Puts an item with its deliveries into the database, each of a user of its own; answers the item's ID. */
export function storeItem(
  store: Store,
  key: string,
  receivedAt: number,
  deliveries: readonly StoredDelivery[],
  payload = '{}',
): number {
  const { sqlite } = store
  const item = sqlite
    .query(
      `insert into inbox (tenant, source, dedup_key, payload, received_at, state, copies)
       values ('acme', 'segment', ?, ?, ?, 'mapped', 0)`,
    )
    .run(key, payload, receivedAt)
  const id = Number(item.lastInsertRowid)
  const insert = sqlite.query(
    `insert into outbox (inbox_id, tenant, destination, call, user_key, message_id, payload, state, reason, head,
       attempts, not_before, created_at, settled_at)
     values (?, 'acme', 'refiner', 'track', ?, ?, ?, ?, ?, ?, 1, 1, ?, ?)`,
  )
  deliveries.forEach(({ state, settledAt }, index) => {
    const name = `${key}-${index}`
    const open = state === 'pending'
    const reason = state === 'dead' || state === 'skipped' ? 'no' : null
    insert.run(id, name, name, payload, state, reason, open ? 1 : 0, receivedAt, open ? null : settledAt)
  })
  return id
}
