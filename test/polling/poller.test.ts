import { Database } from 'bun:sqlite'
import { afterEach, beforeEach, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { JsonObject } from '../../src/contracts/json.ts'
import type { RefinerReader, ResponsesQuery } from '../../src/contracts/refiner-reader.ts'
import { Poller, type PollerParts } from '../../src/polling/poller.ts'
import { openStore, type Store } from '../../src/store/open.ts'
import { pollPlace } from '../../src/store/poll-places.ts'
import { handClock, type HandClock } from '../support/hand-clock.ts'
import { until } from '../support/loop.ts'
import { EVERY, MINUTE, response, START } from '../support/polling.ts'

const DAY = 86_400_000

let folder: string
let path: string
let store: Store
let clock: HandClock
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'refiner-sync-poller-'))
  path = join(folder, 'test.db')
  store = await openStore(path)
  clock = handClock(START)
})
afterEach(() => {
  store.close()
  rmSync(folder, { recursive: true })
})

/** Polls an account that has these; answers what it was asked, too. */
function pollerOf(items: readonly object[], parts: Partial<PollerParts> = {}) {
  const asked: ResponsesQuery[] = []
  const reader: RefinerReader = {
    async responses(query) {
      asked.push(query)
      return {
        ok: true,
        items: items as readonly JsonObject[],
        nextCursor: null,
        total: items.length,
        clockAheadMs: null,
      }
    },
    contacts: () => Promise.reject(new Error('not asked for')),
  }
  const errors: unknown[] = []
  const poller = new Poller(
    {
      store,
      clock,
      rememberedMs: () => 30 * DAY,
      isForgotten: () => false,
      isFull: () => false,
      onFound: () => {},
      onFailure: () => {},
      onError: (error) => errors.push(error),
      ...parts,
    },
    { name: 'acme', everyMs: EVERY, reader: () => reader, kinds: new Set(['completed']), privacy: null },
  )
  return { poller, asked, errors }
}

const stored = () =>
  store.sqlite.query<{ count: number }, []>('select count(*) as count from inbox').get()!.count

test('what happens while the disk takes nothing at the start is fetched once it does', async () => {
  const { poller, errors } = pollerOf([response('early', MINUTE).item])
  const other = new Database(path)
  other.run('begin immediate')
  poller.start()
  expect(errors).toHaveLength(1)
  other.run('rollback')
  other.close()
  clock.pass(2 * EVERY)
  await until(() => pollPlace(store, 'acme')?.lastSuccessAt != null)
  expect(stored()).toBe(1)
  expect(pollPlace(store, 'acme')!.begunAt).toBe(START)
  poller.stop()
})

test('once it is stopped nothing more of a page is added: other settings may be in force', async () => {
  const items = Array.from({ length: 100 }, (_, n) => response(`r-${n}`, MINUTE).item)
  let looked = 0
  const { poller, asked, errors } = pollerOf(items, {
    isForgotten() {
      looked += 1
      // Each is looked at when it is found, and when it is added.
      if (looked === 130) poller.stop()
      return false
    },
  })
  poller.start()
  clock.pass(2 * MINUTE)
  await until(() => looked >= 150)
  // It rests after each commit: whatever it is at is over by then.
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve))
  expect(looked).toBe(150)
  expect(stored()).toBe(50)
  expect(asked).toHaveLength(1)
  expect(pollPlace(store, 'acme')!.lastSuccessAt).toBe(null)
  expect(errors).toEqual([])
})
