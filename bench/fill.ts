import { type InboxRow, insertInboxItem } from '../src/store/inbox.ts'
import { openStore, type Store } from '../src/store/open.ts'
import { recordMapped } from '../src/store/record-mapped.ts'
import { refinerWebhook } from './messages.ts'

/** A database as it is after a long time: what waits, and what is over. All deliveries go to Segment. */
export interface Filling {
  readonly path: string
  readonly tenant: string
  /** Deliveries that wait to be sent. */
  readonly pending: number
  /** Deliveries that were given up after an attempt. */
  readonly dead: number
  /** Deliveries that were delivered long ago, each with a webhook of its own. */
  readonly delivered: number
}

/** Each webhook became so many deliveries. */
const DELIVERIES_A_WEBHOOK = 3
/** Each user has ten webhooks or so. */
const WEBHOOKS_A_USER = 10
/** Webhooks in one commit. */
const AT_ONCE = 5000
const CALLS = ['identify', 'group', 'track'] as const
/** When what is over happened, in ms since 1970: in 2020, which is over any retention that is not measured in years. */
const LONG_AGO = 1_600_000_000_000

/** Fills the file by what the daemon itself stores with. Takes half a minute for a million. */
export async function fill({ path, tenant, pending, dead, delivered }: Filling): Promise<void> {
  const store = await openStore(path)
  try {
    store.sqlite.run('pragma wal_autocheckpoint = 100000')
    const over = (delivered + dead) / DELIVERIES_A_WEBHOOK
    addWebhooks(store, tenant, { from: 0, count: over, receivedAt: LONG_AGO })
    makeOver(store, { dead })
    addWebhooks(store, tenant, {
      from: over,
      count: Math.ceil(pending / DELIVERIES_A_WEBHOOK),
      receivedAt: Date.now(),
    })
  } finally {
    store.close()
  }
}

function addWebhooks(
  store: Store,
  tenant: string,
  { from, count, receivedAt }: { from: number; count: number; receivedAt: number },
): void {
  for (let start = from; start < from + count; start += AT_ONCE) {
    const numbers = Array.from({ length: Math.min(AT_ONCE, from + count - start) }, (_, n) => start + n)
    store.relaxedTransaction(() => {
      for (const n of numbers)
        insertInboxItem(store, { ...itemOf(tenant, n, receivedAt), dedupKey: `filled ${n}` })
    })
    // Nothing else writes: the IDs count from 1.
    const items = numbers.map((n): InboxRow => ({
      ...itemOf(tenant, n, receivedAt),
      id: n + 1,
      peopleKept: 0,
      origin: 'webhook',
    }))
    const mapped = items.map((item) => ({ item, deliveries: deliveriesOf(item.id - 1), people: [] }))
    recordMapped(store, mapped, receivedAt)
  }
}

function itemOf(tenant: string, n: number, receivedAt: number) {
  const payload = refinerWebhook(userOf(n), `filled-${n}`)
  return { tenant, source: 'refiner_webhook', payload, receivedAt } as const
}

function userOf(n: number): string {
  return `filled-${Math.floor(n / WEBHOOKS_A_USER)}`
}

function deliveriesOf(n: number) {
  return CALLS.map((call) => ({
    destination: 'segment' as const,
    call,
    userKey: userOf(n),
    messageId: `filled-${n}-${call}`,
    payload: JSON.stringify({
      type: call,
      messageId: `filled-${n}-${call}`,
      userId: userOf(n),
      timestamp: '2024-05-01T00:00:00.000Z',
      traits: { text: 'x'.repeat(400) },
      integrations: { Refiner: false },
    }),
    state: 'pending' as const,
    reason: null,
    detail: null,
    notes: null,
  }))
}

/** All that is there becomes delivered, but for the newest, which are dead. */
function makeOver(store: Store, { dead }: { dead: number }): void {
  const isDead = `id > (select max(id) from outbox) - ${dead}`
  store.sqlite.run(
    `update outbox set head = 0, attempts = 1, settled_at = created_at,
      state = iif(${isDead}, 'dead', 'delivered'), reason = iif(${isDead}, 'given up', null)`,
  )
}
