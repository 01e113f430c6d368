import { expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Counts } from '../../src/store/counts.ts'
import { openStore } from '../../src/store/open.ts'

test('little that waits is counted as it is; of much the number follows, a step at a time', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'refiner-sync-counts-'))
  const store = await openStore(join(folder, 'test.db'))
  const counts = new Counts(store, { elapsed: () => 0 })
  const open = () => counts.lane('acme', 'segment').open
  store.sqlite.run(
    `insert into inbox (tenant, source, dedup_key, payload, received_at, state, copies) values ('acme', 'segment', 'k', '{}', 1, 'mapped', 0)`,
  )
  const add = (from: number, to: number) =>
    store.transaction(() => {
      const insert = store.sqlite.prepare(
        `insert into outbox (inbox_id, tenant, destination, call, user_key, message_id, payload, state, head, attempts, not_before, created_at)
         values (1, 'acme', 'segment', 'track', ?, ?, '{}', 'pending', 0, 0, 1, ?)`,
      )
      for (let n = from; n < to; n++) insert.run(`user-${n % 700}`, `m-${n}`, 1000 + n)
    })
  expect(counts.lane('acme', 'segment')).toEqual({ open: 0, oldestOpen: null, dead: 0, lastDead: null })
  add(0, 19_999)
  expect(counts.lane('acme', 'segment')).toMatchObject({ open: 19_999, oldestOpen: 1000 })
  add(19_999, 45_000)
  expect(counts.lane('acme', 'segment')).toMatchObject({ open: 45_000, oldestOpen: 1000 })

  // Four steps of a walk that began before, and five more, know it.
  store.sqlite.run(`update outbox set state = 'delivered', settled_at = 1 where id <= 10000`)
  for (let step = 0; step < 9; step++) open()
  expect(counts.lane('acme', 'segment')).toMatchObject({ open: 35_000, oldestOpen: 11_000 })

  store.sqlite.run(`update outbox set state = 'delivered', settled_at = 1 where id <= 40000`)
  expect(open()).toBe(5000)
  expect(counts.pending('acme', 'refiner_webhook')).toBe(5000)
  store.close()
  rmSync(folder, { recursive: true })
})
