import { expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BackfillSource, Person } from '../../src/backfill/source.ts'
import { Taker } from '../../src/backfill/take-item.ts'
import type { BackfillFilter } from '../../src/contracts/backfill.ts'
import type { JsonObject } from '../../src/contracts/json.ts'
import { mapItems } from '../../src/mapping/map-items.ts'
import type { Mapped } from '../../src/mapping/map-item.ts'
import { compileMapping } from '../../src/mapping/tenant-mapping.ts'
import { NO_PLUGINS } from '../../src/plugins/load.ts'
import { unmappedItems } from '../../src/store/inbox.ts'
import { openStore, type Store } from '../../src/store/open.ts'
import { recordMapped } from '../../src/store/record-mapped.ts'
import { removeOld } from '../../src/store/retention.ts'
import { testTenant } from '../support/configuration.ts'
import { handClock } from '../support/hand-clock.ts'
import { pastItem, pastWebhook } from '../support/history.ts'

const filter: BackfillFilter = { since: 0, until: 1, surveys: [], contacts: true, rate: null }
const DAY_MS = 86_400_000

async function withStore(work: (store: Store) => void): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'refiner-sync-take-'))
  const store = await openStore(join(folder, 'test.db'))
  try {
    work(store)
  } finally {
    store.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

function sourceThat(over: Partial<BackfillSource> = {}): BackfillSource {
  return {
    reader: () => null,
    kinds: () => new Set(['completed']),
    privacy: () => null,
    isForgotten: () => false,
    ...over,
  }
}

const tenant = testTenant('acme')

/** Maps what waits, and takes all of it for delivered. */
function deliver(store: Store, now: number): number {
  const items = unmappedItems(store, { tenant: 'acme', source: 'refiner_webhook' }, 100, 1e9)
  const mapped = mapItems(items, compileMapping(tenant), NO_PLUGINS) as readonly Mapped[]
  recordMapped(
    store,
    items.map((item, index) => ({ item, ...mapped[index]! })),
    now,
  )
  return store.sqlite.run(
    `update outbox set state = 'delivered', head = 0, settled_at = ${now} where state = 'pending'`,
  ).changes
}

test('what went out before is not sent again when retention has removed it', () =>
  withStore((store) => {
    const clock = handClock()
    const taker = new Taker({ tenant: 'acme', filter, mode: 'to-segment' }, store, sourceThat())
    const take = (item: JsonObject) =>
      store.relaxedTransaction(() => taker.take('responses', item, clock.now()))
    expect(take(pastItem(1) as JsonObject)).toBe('taken')
    // One by webhook, as Refiner words it there.
    store.sqlite.run(
      `insert into inbox (tenant, source, dedup_key, payload, received_at, state, copies, people_kept)
        values ('acme', 'refiner_webhook', 'k', ?, ?, 'received', 0, 0)`,
      [JSON.stringify(pastWebhook(2)), clock.now()],
    )
    expect(deliver(store, clock.now())).toBe(6)
    clock.shift(31 * DAY_MS)
    const retention = { deliveredMs: 30 * DAY_MS, deadMs: 90 * DAY_MS }
    expect(removeOld(store, { clock, retention, after: 0 })).toMatchObject({ items: 2, deliveries: 6 })
    expect(take(pastItem(1) as JsonObject)).toBe('known')
    expect(take(pastItem(2) as JsonObject)).toBe('known')
    expect(take(pastItem(3) as JsonObject)).toBe('taken')
    // An answer that was added since is news, and so is a contact that has been identified since.
    expect(take({ ...pastItem(1), data: { nps: '1', more: 'yes' } })).toBe('taken')
    const { contact, ...rest } = pastItem(2)
    expect(take({ ...rest, contact: { ...(contact as object), remote_id: 'known-now' } })).toBe('taken')
  }))

test('who asked to be forgotten is not brought back, as a response or as a contact', () =>
  withStore((store) => {
    const asked: Person[] = []
    const isForgotten = (_: string, person: Person) => asked.push(person) > 0
    for (const mode of ['to-segment', 'store-only'] as const) {
      const taker = new Taker({ tenant: 'acme', filter, mode }, store, sourceThat({ isForgotten }))
      store.relaxedTransaction(() => {
        expect(taker.take('responses', pastItem(1) as JsonObject, 1)).toBe('forgotten')
        expect(taker.take('contacts', pastItem(1)['contact'] as JsonObject, 1)).toBe('contact')
      })
    }
    expect(asked[0]).toEqual({
      userId: 'user-1',
      email: 'user-1@example.com',
      uuid: '00000000-0000-4000-8000-000000000001',
    })
    for (const table of ['inbox', 'users', 'accounts', 'responses']) {
      expect(store.sqlite.query(`select * from ${table}`).all()).toEqual([])
    }
  }))

test('what was only seen is taken where something comes of it', () =>
  withStore((store) => {
    const seen = { ...pastItem(1), completed_at: null } as JsonObject
    const take = (source: BackfillSource) =>
      store.relaxedTransaction(() =>
        new Taker({ tenant: 'acme', filter, mode: 'to-segment' }, store, source).take('responses', seen, 1),
      )
    expect(take(sourceThat())).toBe('leftOut')
    expect(take(sourceThat({ kinds: () => new Set(['completed', 'seen']) }))).toBe('taken')
  }))
