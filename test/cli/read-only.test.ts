import { describe, expect, test } from 'bun:test'
import { cpSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openStore } from '../../src/store/open.ts'
import { inputOfDelivery, readDatabase } from '../../src/store/read-only.ts'
import { temporaryFolder } from '../config/temporary-folder.ts'

const ITEM = `insert into inbox (tenant, source, dedup_key, payload, received_at, state, copies, replays)
  values ('acme', 'segment', 'k', '{}', 7, 'mapped', 0, 0)`
const DELIVERY = `insert into outbox
  (inbox_id, tenant, destination, call, user_key, message_id, payload, state, head, attempts, not_before, created_at)
  values (1, 'acme', 'refiner', 'identify', 'u', 'm', '{}', 'pending', 1, 0, 0, 7)`

const FOUND = {
  tenant: 'acme',
  destination: 'refiner',
  call: 'identify',
  state: 'pending',
  source: 'segment',
  payload: '{}',
  receivedAt: 7,
} as const

const find = (path: string, id = 1) => readDatabase(path, (sqlite) => inputOfDelivery(sqlite, id))

describe('reading a database', () => {
  test.each(['data.db', 'a b?c#d%41.db', 'ä.db'])('%s, while it is worked on and after', async (name) => {
    using folder = temporaryFolder()
    const path = join(folder.path, name)
    const store = await openStore(path)
    store.transaction(() => {
      store.sqlite.run(ITEM)
      store.sqlite.run(DELIVERY)
    })
    expect(find(path)).toEqual(FOUND)
    expect(find(path, 2)).toBeNull()
    // Nobody is kept waiting, not even in the middle of a transaction.
    store.transaction(() => {
      store.sqlite.run("update outbox set user_key = 'v'")
      expect(find(path)).toEqual(FOUND)
    })
    store.close()
    const files = readdirSync(folder.path)
    expect(find(path)).toEqual(FOUND)
    expect(readdirSync(folder.path)).toEqual(files)
    const again = await openStore(path)
    again.close()
  })

  test('of a daemon that was killed shows what it had committed', async () => {
    using folder = temporaryFolder()
    const path = join(folder.path, 'data.db')
    const left = join(folder.path, 'left.db')
    const store = await openStore(path)
    store.transaction(() => {
      store.sqlite.run(ITEM)
      store.sqlite.run(DELIVERY)
    })
    for (const end of ['', '-wal', '-shm']) cpSync(path + end, left + end)
    store.close()
    const files = readdirSync(folder.path)
    expect(find(left)).toEqual(FOUND)
    expect(readdirSync(folder.path)).toEqual(files)
  })

  test('that is not there makes none', () => {
    using folder = temporaryFolder()
    const path = join(folder.path, 'data.db')
    expect(() => find(path)).toThrow('there is no database')
    expect(readdirSync(folder.path)).toEqual([])
  })

  test('that is something else says so', () => {
    using folder = temporaryFolder()
    const path = join(folder.path, 'data.db')
    writeFileSync(path, 'this is a text and no database, however long it may be read')
    expect(() => find(path)).toThrow(`reading the database ${path}: `)
  })
})
