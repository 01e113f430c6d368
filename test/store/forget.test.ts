import { expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../src/observe/system-clock.ts'
import { findMore, forgetPerson, nothingFound, removeDoomed } from '../../src/store/forget.ts'
import { seeUser } from '../../src/store/identities.ts'
import { openStore, type Store } from '../../src/store/open.ts'
import { personOf } from '../../src/store/person.ts'
import { hasTombstone, isForgotten, setTombstone, tombstoneHash } from '../../src/store/tombstones.ts'
import { inspect } from '../../src/store/verify.ts'

async function withFolder(work: (path: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'refiner-sync-forget-'))
  try {
    await work(join(folder, 'test.db'))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Items of users by turns, each with a delivery that waits or has been delivered. */
function fill(store: Store, count: number): void {
  const item = store.sqlite.prepare(
    `insert into inbox (tenant, source, dedup_key, payload, received_at, state, copies)
      values ('acme', 'segment', ?, ?, 1, 'mapped', 0)`,
  )
  const delivery = store.sqlite.prepare(
    `insert into outbox (inbox_id, tenant, destination, call, user_key, message_id, payload, state, head, attempts,
      not_before, created_at, settled_at) values (?, 'acme', 'refiner', 'track', ?, ?, '{}', ?, 0, 0, 1, 1, ?)`,
  )
  store.transaction(() => {
    for (const userId of ['ada', 'bob']) {
      seeUser(store, { tenant: 'acme', userId, email: `${userId}@example.com`, refinerUuid: null, now: 1 })
    }
    for (let n = 0; n < count; n++) {
      const userId = n % 2 === 0 ? 'ada' : 'bob'
      const { lastInsertRowid } = item.run(`m-${n}`, JSON.stringify({ type: 'track', userId, event: 'E' }))
      const isOpen = n % 10 < 2
      delivery.run(lastInsertRowid, userId, `m-${n}`, isOpen ? 'pending' : 'delivered', isOpen ? null : 1)
    }
    store.sqlite.run(
      `update outbox set head = 1 where id in (select min(id) from outbox where settled_at is null group by user_key)`,
    )
  })
}

function left(store: Store) {
  const rows = (table: string, column: string) =>
    store.sqlite
      .query<{ n: number }, []>(`select count(*) as n from ${table} where ${column} like '%ada%'`)
      .get()!.n
  return {
    users: rows('users', 'user_id'),
    identities: rows('identities', 'user_id'),
    inbox: rows('inbox', 'payload'),
    outbox: rows('outbox', 'user_key'),
  }
}

const NOTHING = { users: 0, identities: 0, inbox: 0, outbox: 0 }

test('of somebody with very much the commit leaves nothing to be sent, and the rest goes in steps', () =>
  withFolder(async (path) => {
    const store = await openStore(path)
    fill(store, 2000)
    const person = personOf(store, 'acme', { email: 'Ada@example.com' })
    const found = nothingFound()
    while (!findMore(store, person, found, systemClock));
    expect([found.items.length, found.deliveries.length]).toEqual([1000, 1000])
    const terms = { by: 'test', askedAt: 1, inRefiner: false, now: 2 }
    const { id } = forgetPerson(store, { email: 'ada@example.com' }, person, found, terms)
    expect(left(store)).toMatchObject({ users: 0, identities: 0 })
    const open = `select count(*) as n from outbox where user_key = 'ada' and settled_at is null`
    expect(store.sqlite.query(open).get()).toEqual({ n: 0 })
    let steps = 0
    while (removeDoomed(store, 3)) steps += 1
    expect(steps).toBe(18)
    expect(left(store)).toEqual(NOTHING)
    const counts = store.sqlite
      .query<{ counts: string }, [number]>('select counts from receipts where id = ?')
      .get(id)
    expect(JSON.parse(counts!.counts)).toMatchObject({ users: 1, items: 1000, deliveries: 1000 })
    expect(store.sqlite.query(`select count(*) as n from outbox where user_key = 'bob'`).get()).toEqual({
      n: 1000,
    })
    expect(inspect(store.sqlite).problems).toEqual([])
    store.close()
  }))

test('a kill in the middle leaves all or nothing, and what was begun is ended', () =>
  withFolder(async (path) => {
    const first = await openStore(path)
    fill(first, 2000)
    const before = left(first)
    first.close()
    let outcomes = 0
    for (let delay = 0; outcomes < 5; delay += 3, outcomes += 1) {
      const killed = Bun.spawn(
        [process.execPath, join(import.meta.dir, '..', 'programs', 'killed-forget.ts'), path],
        {
          stderr: 'inherit',
        },
      )
      const reader = killed.stdout.getReader()
      await reader.read()
      // Anywhere from before the commit to after it.
      await Bun.sleep(delay)
      killed.kill('SIGKILL')
      await killed.exited
      const store = await openStore(path)
      const isDone = hasTombstone(store, 'acme', 'user', 'ada')
      while (removeDoomed(store, 3));
      expect(left(store)).toEqual(isDone ? NOTHING : before)
      expect(store.sqlite.query('select count(*) as n from receipts').get()).toEqual({ n: isDone ? 1 : 0 })
      expect(inspect(store.sqlite).problems).toEqual([])
      store.close()
      if (isDone) break
    }
  }))

test('a tombstone is of one tenant, and says nothing of whom it stands for', () =>
  withFolder(async (path) => {
    const store = await openStore(path)
    const hash = tombstoneHash(store, 'acme', 'email', ' Ada@Example.com')!
    store.sqlite.run(
      `insert into receipts (id, tenant, hash, what, by, asked_at, done_at, counts, complete, refiner)
        values (1, 'acme', 'h', 'forget', 'test', 1, 1, '{}', 1, 'not asked')`,
    )
    setTombstone(store, { tenant: 'acme', hash, kind: 'forgotten', at: 1, receipt: 1 })
    const nobody = { userId: null, email: null, uuid: null }
    expect(isForgotten(store, 'acme', { ...nobody, email: 'ada@example.com' })).toBe(true)
    expect(isForgotten(store, 'acme', { ...nobody, email: 'ada@example.com', userId: 'another' })).toBe(false)
    expect(isForgotten(store, 'globex', { ...nobody, email: 'ada@example.com' })).toBe(false)
    expect(isForgotten(store, 'acme', { ...nobody, uuid: 'ada@example.com' })).toBe(false)
    expect(hash).toMatch(/^[0-9a-f]{64}$/)
    store.close()
  }))
