import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { Database } from 'bun:sqlite'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { insertInboxItem, unmappedItems } from '../../src/store/inbox.ts'
import { migrate } from '../../src/store/migrate.ts'
import { initial } from '../../src/store/migrations/001-initial.ts'
import { openStore } from '../../src/store/open.ts'
import { dueDeliveries } from '../../src/store/due.ts'
import {
  insertDelivery,
  leaseHeads,
  settleDead,
  settleDelivered,
  usersUnder,
} from '../../src/store/outbox.ts'

let folder: string
let path: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'refiner-sync-store-'))
  path = join(folder, 'deep', 'er', 'test.db')
})
afterEach(() => {
  rmSync(folder, { recursive: true })
})

const item = { tenant: 'acme', source: 'segment', dedupKey: 'm-1', payload: '{}', receivedAt: 5 } as const

const delivery = {
  inboxId: 1,
  tenant: 'acme',
  destination: 'segment',
  call: 'track',
  userKey: 'u',
  messageId: 'm',
  payload: '{}',
  state: 'pending',
  reason: null,
  detail: null,
  notes: null,
  head: 1,
  now: 1,
  lease: null,
  leasedUntil: null,
  settledAt: null,
} as const

describe('a database file', () => {
  test('is made with its folder, durable, and opened again with what is in it', async () => {
    const first = await openStore(path)
    expect(first.sqlite.query('pragma journal_mode').get()).toEqual({ journal_mode: 'wal' })
    expect(first.sqlite.query('pragma synchronous').get()).toEqual({ synchronous: 1 })
    expect(first.sqlite.query('pragma foreign_keys').get()).toEqual({ foreign_keys: 1 })
    insertInboxItem(first, item)
    first.close()
    const second = await openStore(path)
    const group = { tenant: 'acme', source: 'segment' } as const
    expect(unmappedItems(second, group, 10, 1000)).toMatchObject([{ id: 1, payload: '{}' }])
    second.close()
  })

  test('of the first version keeps its rows, and knows whose people were kept', async () => {
    mkdirSync(dirname(path), { recursive: true })
    using old = new Database(path, { create: true })
    await migrate(old, { '001-initial': initial })
    const inbox = old.prepare(`insert into inbox values (?, 'acme', 'segment', ?, '{}', 1, ?, 0)`)
    const outbox = old.prepare(
      `insert into outbox (inbox_id, tenant, destination, call, user_key, message_id, payload, state, reason, head,
         attempts, not_before, lease, leased_until, created_at, settled_at)
       values (?, 'acme', 'refiner', ?, 'u', ?, ?, ?, ?, ?, 0, 1, ?, ?, 1, ?)`,
    )
    for (const [id, state] of [[1, 'received'], ...[2, 3, 4, 5, 6, 7, 8].map((id) => [id, 'mapped'])])
      inbox.run(id!, `m-${id}`, state!)
    outbox.run(2, 'track', 'm-2', '{}', 'leased', null, 1, 'lease', 9, null)
    outbox.run(3, 'track', 'm-3', '{}', 'pending', null, 0, null, null, null)
    outbox.run(4, 'track', 'm-4', '{}', 'delivered', null, 0, null, null, 1)
    outbox.run(5, 'track', 'm-5', '{}', 'dead', 'no', 0, null, null, 1)
    outbox.run(6, 'all', 'm-6', null, 'skipped', 'no', 0, null, null, 1)
    outbox.run(7, 'all', 'm-7', null, 'dead', 'mapping it failed', 0, null, null, 1)
    outbox.run(8, 'all', 'm-8', null, 'skipped', 'the webhook was not understood: it', 0, null, null, 1)
    const states = old.query('select id, state from outbox').all()
    old.close()

    const store = await openStore(path)
    expect(store.sqlite.query('select id, state from outbox').all()).toEqual(states)
    const kept = store.sqlite.query('select id, people_kept as kept from inbox').all() as {
      id: number
      kept: 0 | 1
    }[]
    expect(kept.filter((row) => row.kept === 0).map(({ id }) => id)).toEqual([1, 7, 8])
    store.close()
  })

  test('of a newer version is refused, with what to do', async () => {
    const store = await openStore(path)
    store.sqlite.run(`insert into kysely_migration values ('999-later', '2099-01-01T00:00:00.000Z')`)
    store.close()
    await expect(openStore(path)).rejects.toThrow('a newer version of refiner-sync made this file')
  })

  test('is worked on by one daemon at a time', async () => {
    const store = await openStore(path)
    await expect(openStore(path)).rejects.toThrow('in use by another refiner-sync')
    store.close()
    ;(await openStore(path)).close()
  })

  test('that is none is refused, with its path', async () => {
    await Bun.write(path, 'this is no database, but long enough to be taken for one'.repeat(100))
    await expect(openStore(path)).rejects.toThrow(`opening the database ${path}`)
  })
})

describe('the tables', () => {
  test('take no state that cannot be', async () => {
    const store = await openStore(path)
    insertInboxItem(store, item)
    expect(insertDelivery(store, delivery)).toBe(1)
    const broken: [string, string][] = [
      ['a state without a name', `state = 'gone'`],
      ['a lease on what is pending', `lease = 'x', leased_until = 1`],
      ['something leased without a lease', `state = 'leased'`],
      ['something delivered at no time', `state = 'delivered'`],
      ['something dead for no reason', `state = 'dead', settled_at = 1`],
      ['something pending with nothing to send', `payload = null`],
      ['fewer than no attempts', `attempts = -1`],
      ['an item that is not there', `inbox_id = 99`],
    ]
    for (const [what, change] of broken) {
      expect(() => store.sqlite.run(`update outbox set ${change}`), what).toThrow(/constraint failed/)
    }
    store.close()
  })

  test('settle a delivery only under the lease that holds it', async () => {
    const store = await openStore(path)
    insertInboxItem(store, item)
    insertDelivery(store, delivery)
    const due = () => [...dueDeliveries(store, { tenant: 'acme', destination: 'segment' }, 1, 10)]
    expect(due()).toHaveLength(1)
    expect(leaseHeads(store, { ids: '[1]', lease: 'mine', leasedUntil: 9 })).toBe(1)
    expect(due()).toHaveLength(0)
    expect(leaseHeads(store, { ids: '[1]', lease: 'other', leasedUntil: 9 })).toBe(0)
    expect([...usersUnder(store, 'other')]).toEqual([])
    expect([...usersUnder(store, 'mine')]).toEqual(['u'])
    expect(settleDelivered(store, { ids: '[1]', lease: 'other', now: 2 })).toBe(0)
    expect(settleDead(store, { id: 1, lease: 'other', reason: 'no', answer: null, now: 2 })).toBe(0)
    expect(settleDelivered(store, { ids: '[1]', lease: 'mine', now: 2 })).toBe(1)
    expect(settleDelivered(store, { ids: '[1]', lease: 'mine', now: 2 })).toBe(0)
    store.close()
  })
})
