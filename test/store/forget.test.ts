import { expect, test } from 'bun:test'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../src/observe/system-clock.ts'
import { findMore, forgetPerson, nothingFound, removeDoomed } from '../../src/store/forget.ts'
import { seeUser } from '../../src/store/identities.ts'
import { findDelivery, listPart } from '../../src/store/deliveries.ts'
import { unmappedItems } from '../../src/store/inbox.ts'
import { exportPart, type Place } from '../../src/store/person-export.ts'
import { inputOfDelivery, readDatabase } from '../../src/store/read-only.ts'
import { recordMapped } from '../../src/store/record-mapped.ts'
import { replayDelivery } from '../../src/store/replay.ts'
import { openStore, type Store } from '../../src/store/open.ts'
import { personOf } from '../../src/store/person.ts'
import { hasTombstone, isForgotten, setTombstone, tombstoneHash } from '../../src/store/tombstones.ts'
import { inspect } from '../../src/store/verify.ts'
import { deadline, until } from '../support/loop.ts'
import { PROGRAM, run, workplace } from '../support/process.ts'

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
    fill(store, 6000)
    const person = personOf(store, 'acme', { email: 'Ada@example.com' })
    const found = nothingFound()
    while (!findMore(store, person, found, systemClock));
    expect([found.items.length, found.deliveries.length]).toEqual([3000, 3000])
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
    expect(JSON.parse(counts!.counts)).toMatchObject({ users: 1, items: 3000, deliveries: 3000 })
    expect(store.sqlite.query(`select count(*) as n from outbox where user_key = 'bob'`).get()).toEqual({
      n: 3000,
    })
    expect(inspect(store.sqlite).problems).toEqual([])
    store.close()
  }))

test('what a person with a few thousand items has goes with the deciding commit', () =>
  withFolder(async (path) => {
    const store = await openStore(path)
    fill(store, 4000)
    const person = personOf(store, 'acme', { userId: 'ada' })
    const found = nothingFound()
    while (!findMore(store, person, found, systemClock));
    forgetPerson(store, { userId: 'ada' }, person, found, {
      by: 'test',
      askedAt: 1,
      inRefiner: false,
      now: 2,
    })
    expect(left(store)).toEqual(NOTHING)
    expect(removeDoomed(store, 3)).toBe(false)
    store.close()
  }))

test('of what is still to be removed nothing is shown, exported, replayed, sent or kept anew', () =>
  withFolder(async (path) => {
    const store = await openStore(path)
    fill(store, 6000)
    // The last item is at a plugin; the one before it became something for somebody else, and something that was skipped.
    const items = store.sqlite
      .query<{ id: number }, []>(`select id from inbox where payload like '%"ada"%' order by id desc limit 2`)
      .all()
      .map(({ id }) => id)
    store.sqlite.run(`update inbox set state = 'received' where id = ?`, [items[0]!])
    const about = [items[0]!, items[1]!]
    const add = (state: string, userKey: string, settledAt: number | null, head: number) =>
      Number(
        store.sqlite.run(
          `insert into outbox (inbox_id, tenant, destination, call, user_key, message_id, payload, state, reason, head,
            attempts, not_before, created_at, settled_at)
            values (?, 'acme', 'segment', 'track', ?, ?, '{}', ?, 'why', ?, 1, 0, 1, ?)`,
          [about[1]!, userKey, `other-${state}`, state, head, settledAt],
        ).lastInsertRowid,
      )
    const open = add('pending', 'the-manager', null, 1)
    const skipped = add('skipped', 'the-manager', 1, 0)
    const waiting = unmappedItems(store, { tenant: 'acme', source: 'segment' }, 1, 1_000_000)
    expect(waiting.map(({ id }) => id)).toEqual([items[0]!])

    const person = personOf(store, 'acme', { userId: 'ada' })
    const found = nothingFound()
    while (!findMore(store, person, found, systemClock));
    forgetPerson(store, { userId: 'ada' }, person, found, {
      by: 'test',
      askedAt: 1,
      inRefiner: false,
      now: 2,
    })

    expect(left(store).inbox).toBe(1000)
    expect(store.sqlite.query('select 1 from outbox where id = ?').get(open)).toBeNull()
    expect(store.sqlite.query('select 1 from outbox where id = ?').get(skipped)).not.toBeNull()
    expect(findDelivery(store, skipped)).toBeNull()
    const all = {
      tenant: null,
      destination: null,
      user: null,
      survey: null,
      error: null,
      since: null,
      until: null,
    }
    expect(listPart(store, { ...all, state: 'skipped', before: null, limit: 100 }).deliveries).toEqual([])
    const everything = listPart(store, { ...all, state: null, before: null, limit: 2000 }).deliveries
    const keys = store.sqlite.query<{ user_key: string }, [string]>(
      'select distinct user_key from outbox where id in (select value from json_each(?))',
    )
    expect(keys.all(JSON.stringify(everything.map(({ id }) => id)))).toEqual([{ user_key: 'bob' }])
    const terms = { by: 'test', remap: false, isKnown: () => true, now: 3 }
    expect(replayDelivery(store, skipped, terms)).toEqual({ kind: 'unknown' })
    expect(inputOfDelivery(store.sqlite, skipped)).toBeNull()
    const ada = personOf(store, 'acme', { userId: 'ada' })
    for (const section of ['items', 'deliveries'] as const) {
      let place: Place | null = null
      do {
        const part = exportPart(store, ada, { section, place, clock: systemClock })
        expect(part.rows).toEqual([])
        place = part.place
      } while (place !== null)
    }
    recordMapped(
      store,
      [
        {
          item: waiting[0]!,
          deliveries: [],
          people: [{ kind: 'event', userId: 'ada', name: 'E', at: 3 }],
        },
      ],
      3,
    )
    expect(left(store).users).toBe(0)
    while (removeDoomed(store, 4));
    expect(left(store)).toEqual(NOTHING)
    expect(inspect(store.sqlite).problems).toEqual([])
    store.close()
  }))

test('what a kill -9 right after the deciding commit leaves, the daemon removes at its next start', async () => {
  using place = workplace({ segment: 'http://127.0.0.1:9', refiner: 'http://127.0.0.1:9' })
  const path = join(place.folder, 'data', 'refiner-sync.db')
  mkdirSync(join(place.folder, 'data'))
  const store = await openStore(path)
  fill(store, 6000)
  store.sqlite.run(`delete from outbox where user_key = 'bob'`)
  store.close()
  const program = join(import.meta.dir, '..', 'programs', 'killed-forget.ts')
  const killed = Bun.spawn([process.execPath, program, path, 'decided'], { stderr: 'inherit' })
  let said = ''
  for await (const chunk of killed.stdout) {
    said += new TextDecoder().decode(chunk)
    if (said.includes('decided')) break
  }
  killed.kill('SIGKILL')
  await killed.exited
  const counted = () => readDatabase(path, (sqlite) => left({ sqlite } as Store))
  expect(counted()).toMatchObject({ users: 0, inbox: 1000, outbox: 800 })
  const daemon = run(PROGRAM, ['serve'], place.folder)
  try {
    await daemon.url()
    await until(() => counted().outbox === 0 && counted().inbox === 0, deadline())
    expect(counted()).toEqual(NOTHING)
  } finally {
    daemon.process.kill()
    await daemon.process.exited
  }
})

test('a kill in the middle leaves all or nothing, and what was begun is ended', () =>
  withFolder(async (path) => {
    const first = await openStore(path)
    fill(first, 6000)
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
