import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Housekeeper } from '../../src/daemon/housekeeper.ts'
import { insertInboxItem } from '../../src/store/inbox.ts'
import { openStore, type Store } from '../../src/store/open.ts'
import { inspect } from '../../src/store/verify.ts'
import { handClock, type HandClock } from '../support/hand-clock.ts'
import { keptLog } from '../support/loop.ts'
import { type StoredDelivery, storeItem } from '../support/stored-rows.ts'

const DAY = 86_400_000
const RETENTION = { deliveredMs: 30 * DAY, deadMs: 90 * DAY }

let folder: string
let path: string
let store: Store
let clock: HandClock
let housekeeper: Housekeeper
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'refiner-sync-retention-'))
  path = join(folder, 'test.db')
  store = await openStore(path)
  clock = handClock()
  housekeeper = keeper()
})
afterEach(() => {
  housekeeper.stop()
  store.close()
  rmSync(folder, { recursive: true })
})

function keeper(): Housekeeper {
  const onError = (error: unknown) => {
    throw error
  }
  return new Housekeeper({ store, clock, log: keptLog().log, onError }, RETENTION)
}

const daysAgo = (days: number) => clock.now() - days * DAY
const delivered = (days: number): StoredDelivery => ({ state: 'delivered', settledAt: daysAgo(days) })
const dead = (days: number): StoredDelivery => ({ state: 'dead', settledAt: daysAgo(days) })
const skipped = (days: number): StoredDelivery => ({ state: 'skipped', settledAt: daysAgo(days) })
const pending: StoredDelivery = { state: 'pending', settledAt: 0 }

function keys(): string[] {
  return store.sqlite
    .query<{ key: string }, []>('select dedup_key as key from inbox order by id')
    .all()
    .map(({ key }) => key)
}

function deliveries(): string[] {
  return store.sqlite
    .query<{ name: string }, []>('select message_id as name from outbox order by id')
    .all()
    .map(({ name }) => name)
}

describe('what is past its retention goes', () => {
  test('an item with all of its deliveries, and nothing else', () => {
    storeItem(store, 'old', daysAgo(31), [delivered(31), skipped(31)])
    storeItem(store, 'settled-late', daysAgo(31), [delivered(29)])
    storeItem(store, 'open', daysAgo(400), [pending])
    storeItem(store, 'half-open', daysAgo(400), [delivered(400), pending])
    storeItem(store, 'dead', daysAgo(89), [delivered(89), dead(89)])
    storeItem(store, 'long-dead', daysAgo(91), [delivered(91), dead(91)])
    storeItem(store, 'nothing-came-of-it', daysAgo(31), [])
    storeItem(store, 'young', daysAgo(1), [delivered(1)])
    housekeeper.start()
    clock.pass(60_000)
    expect(keys()).toEqual(['settled-late', 'open', 'half-open', 'dead', 'young'])
    expect(deliveries()).toEqual([
      'settled-late-0',
      'open-0',
      'half-open-0',
      'half-open-1',
      'dead-0',
      'dead-1',
      'young-0',
    ])
    expect(inspect(store.sqlite).problems).toEqual([])
  })

  test('later, when its time has come', () => {
    storeItem(store, 'settled-late', daysAgo(31), [delivered(29)])
    storeItem(store, 'young', daysAgo(1), [delivered(1)])
    housekeeper.start()
    clock.pass(60_000)
    expect(keys()).toEqual(['settled-late', 'young'])
    clock.shift(DAY)
    clock.pass(DAY)
    expect(keys()).toEqual(['young'])
    clock.shift(30 * DAY)
    clock.pass(60 * 60_000)
    expect(keys()).toEqual([])
  })

  test('of a dead delivery at its own time, when that is the shorter one', () => {
    storeItem(store, 'item', daysAgo(3), [delivered(3), dead(3)])
    housekeeper.retain({ deliveredMs: 30 * DAY, deadMs: DAY })
    housekeeper.start()
    clock.pass(60_000)
    expect([keys(), deliveries()]).toEqual([['item'], ['item-0']])
  })

  test('soon after a reload that keeps less', () => {
    storeItem(store, 'item', daysAgo(3), [delivered(3)])
    housekeeper.start()
    clock.pass(60_000)
    expect(keys()).toEqual(['item'])
    housekeeper.retain({ deliveredMs: DAY, deadMs: DAY })
    clock.pass(1000)
    expect(keys()).toEqual([])
  })
})

test('a copy that comes within the retention is known, and one that waits for its mapping is kept', () => {
  const item = { tenant: 'acme', source: 'segment', payload: '{}' } as const
  storeItem(store, 'mapped', daysAgo(29), [delivered(29)])
  insertInboxItem(store, { ...item, dedupKey: 'to be mapped', receivedAt: daysAgo(400) })
  housekeeper.start()
  clock.pass(60_000)
  expect(insertInboxItem(store, { ...item, dedupKey: 'mapped', receivedAt: clock.now() })).toBe(0)
  expect(keys()).toEqual(['mapped', 'to be mapped'])
})

test('a clock that was ahead for a while keeps nothing that came after it', () => {
  storeItem(store, 'ahead', clock.now() + 100 * DAY, [
    { state: 'delivered', settledAt: clock.now() + 100 * DAY },
  ])
  storeItem(store, 'old', daysAgo(31), [delivered(31)])
  housekeeper.start()
  clock.pass(60_000)
  expect(keys()).toEqual(['ahead'])
})

test('it goes in small steps, stops at once, and goes on after a restart', () => {
  store.transaction(() => {
    for (let index = 0; index < 1000; index++) storeItem(store, `item-${index}`, daysAgo(40), [delivered(40)])
  })
  housekeeper.start()
  let left = 1000
  while (left > 500) {
    clock.pass(20)
    const now = keys().length
    expect(left - now).toBeLessThanOrEqual(100)
    left = now
  }
  housekeeper.stop()
  clock.pass(DAY)
  expect(keys()).toHaveLength(left)
  housekeeper = keeper()
  housekeeper.start()
  clock.pass(60_000)
  expect(keys()).toEqual([])
})

test('the file becomes smaller, and its -wal too', () => {
  store.transaction(() => {
    for (let index = 0; index < 4000; index++)
      storeItem(
        store,
        `item-${index}`,
        daysAgo(40),
        [delivered(40)],
        JSON.stringify({ text: 'x'.repeat(2000) }),
      )
  })
  // The store may be copying it just now, on another thread.
  while (store.sqlite.query<{ busy: number }, []>('pragma wal_checkpoint(truncate)').get()!.busy !== 0);
  const full = statSync(path).size
  housekeeper.start()
  clock.pass(10 * 60_000)
  expect(keys()).toEqual([])
  expect(statSync(`${path}-wal`).size).toBe(0)
  // A thousand pages of 4 KB may lie free, for what comes next.
  expect(full).toBeGreaterThan(16_000_000)
  expect(statSync(path).size).toBeLessThan(5_000_000)
  expect(inspect(store.sqlite).problems).toEqual([])
})
