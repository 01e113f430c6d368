import { Database } from 'bun:sqlite'
import { afterEach, beforeEach, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openStore } from '../../src/store/open.ts'
import { removeOld } from '../../src/store/retention.ts'
import { handClock } from '../support/hand-clock.ts'
import { storeItem } from '../support/stored-rows.ts'
import { isRemoved, makeOlder, remainsOf } from './old-rows.ts'

const DAY_MS = 24 * 3_600_000
const retention = { deliveredMs: 20 * DAY_MS, deadMs: 90 * DAY_MS }
let folder = ''
let path = ''

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'refiner-sync-old-rows-'))
  path = join(folder, 'refiner-sync.db')
  const store = await openStore(path)
  const now = Date.now()
  for (const state of ['delivered', 'pending', 'dead'] as const) {
    storeItem(store, state, now, [{ state, settledAt: now }])
  }
  store.close()
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** Has retention look at so many steps of a hundred items at the most, by the real time. */
async function remove(steps: number): Promise<void> {
  const store = await openStore(path)
  const clock = { ...handClock(), now: () => Date.now() }
  let after: number | null = 0
  for (let step = 0; step < steps && after !== null; step++) {
    after = removeOld(store, { clock, retention, after }).last
  }
  store.close()
}

function change(statement: string): void {
  using sqlite = new Database(path)
  sqlite.run(statement)
}

test('a month later retention has much to remove, and leaves what is open or was given up', async () => {
  const aged = makeOlder(path)
  expect(aged.kept).toHaveLength(2)
  expect(remainsOf(path, aged)).toMatchObject({ removed: 0, complaint: 'retention removed nothing' })
  await remove(2)
  expect(isRemoved(path, aged.first)).toBe(true)
  expect(isRemoved(path, aged.last)).toBe(false)
  expect(remainsOf(path, aged)).toMatchObject({ within: 'removing', complaint: null })
  await remove(100)
  expect(isRemoved(path, aged.last)).toBe(true)
  expect(remainsOf(path, aged)).toEqual({
    removed: aged.items - 2,
    within: 'shrinking',
    complaint: null,
  })
})

test('what has been made older is not made older again', async () => {
  makeOlder(path)
  const aged = makeOlder(path)
  await remove(100)
  expect(remainsOf(path, aged).complaint).toBeNull()
})

test.each(['pending', 'dead'])('a delivery that is %s and removed is told', async (state) => {
  const aged = makeOlder(path)
  await remove(100)
  change(`delete from outbox where state = '${state}'`)
  expect(remainsOf(path, aged).complaint).toStartWith('retention removed deliveries that were not settled')
})

test('a delivery whose item was removed is told', async () => {
  const aged = makeOlder(path)
  await remove(100)
  change(`delete from inbox where dedup_key = 'dead'`)
  expect(remainsOf(path, aged).complaint).toBe('retention left 1 rows without what they belong to')
})
