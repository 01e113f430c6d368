import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { dueDeliveries } from '../../src/store/due.ts'
import { type DeliveryFilter, findDelivery, listPart } from '../../src/store/deliveries.ts'
import { mendHeads, settleHead } from '../../src/store/heads.ts'
import {
  insertInboxItem,
  markMapped,
  unmappedByGroup,
  unmappedItems,
  waitingGroups,
} from '../../src/store/inbox.ts'
import { recordMapped } from '../../src/store/record-mapped.ts'
import { openStore, type Store } from '../../src/store/open.ts'
import {
  hasOpen,
  insertDelivery,
  leaseHeads,
  retryDelivery,
  returnExpiredLeases,
  settleDead,
  settleDelivered,
  tenantsWithOpen,
} from '../../src/store/outbox.ts'
import { beginReplayOf, continueReplay, replayDelivery } from '../../src/store/replay.ts'

let folder: string
let store: Store
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'refiner-sync-replay-'))
  store = await openStore(join(folder, 'test.db'))
})
afterEach(() => {
  store.close()
  rmSync(folder, { recursive: true })
})

const terms = (now: number, isKnown: (tenant: string) => boolean = () => true) => ({
  by: 'ada',
  remap: false,
  isKnown,
  now,
})
const ALL = {
  tenant: null,
  destination: null,
  user: null,
  survey: null,
  error: null,
  since: null,
  until: null,
} as const
const list = (filter: Partial<DeliveryFilter>) =>
  listPart(store, { ...ALL, state: null, before: null, limit: 100, ...filter }).deliveries
const lane = { tenant: 'acme', destination: 'refiner' } as const
let made = 0

function insert(
  userKey: string,
  how: { state?: 'pending' | 'dead'; payload?: string | null; tenant?: string } = {},
) {
  const { state = 'pending', payload = '{}', tenant = 'acme' } = how
  const messageId = `m-${(made += 1)}`
  insertInboxItem(store, { tenant, source: 'segment', dedupKey: messageId, payload: '{}', receivedAt: 1 })
  const inboxId = (store.sqlite.query('select max(id) as id from inbox').get() as { id: number }).id
  markMapped(store, { id: inboxId, peopleKept: 0 })
  insertDelivery(store, {
    inboxId,
    tenant,
    destination: 'refiner',
    call: 'track',
    userKey,
    messageId,
    payload,
    state,
    reason: state === 'dead' ? 'no' : null,
    detail: null,
    notes: null,
    head: state === 'pending' && !hasOpen(store, tenant, 'refiner', userKey) ? 1 : 0,
    now: 1,
    lease: null,
    leasedUntil: null,
    settledAt: state === 'dead' ? 1 : null,
  })
}

interface Row {
  id: number
  user_key: string
  state: string
  head: 0 | 1
}

const open = () =>
  store.sqlite
    .query('select id, user_key, state, head from outbox where settled_at is null order by id')
    .all() as Row[]

/** Of each user with open deliveries exactly one is the head: the first, unless another is under way. */
function expectHeads() {
  for (const [user, rows] of Map.groupBy(open(), ({ user_key }) => user_key)) {
    const heads = rows.filter(({ head }) => head === 1)
    expect(heads, user).toHaveLength(1)
    const leased = rows.some(({ state }) => state === 'leased')
    if (leased) expect(heads[0]!.state).toBe('leased')
    else expect(heads[0]!.id).toBe(rows[0]!.id)
  }
}

const steps = fc.array(
  fc.oneof(
    fc.record({ do: fc.constant('insert' as const), user: fc.integer({ min: 0, max: 2 }) }),
    fc.record({ do: fc.constant('lease' as const), messages: fc.integer({ min: 1, max: 3 }) }),
    fc.record({
      do: fc.constant('settle' as const),
      outcomes: fc.array(fc.constantFrom('delivered', 'dead', 'retry'), { minLength: 3, maxLength: 3 }),
    }),
    fc.record({ do: fc.constant('replay' as const), which: fc.nat(20) }),
    fc.record({ do: fc.constant('crash' as const) }),
  ),
  { minLength: 5, maxLength: 60 },
)

test('whatever is sent, refused, replayed and lost, each user has one head and never two sends at once', () => {
  fc.assert(
    fc.property(steps, (script) => {
      store.sqlite.run('delete from outbox')
      /** What is under way, as the lanes know it. */
      let leases: { lease: string; rows: { id: number; userKey: string }[] }[] = []
      let now = 1
      for (const step of script) {
        now += 1000
        switch (step.do) {
          case 'insert':
            insert(`user-${step.user}`)
            break
          case 'lease': {
            const lease = `lease-${now}`
            const rows = [...dueDeliveries(store, lane, now, step.messages)].slice(0, step.messages)
            const busy = new Set(leases.flatMap((one) => one.rows.map(({ userKey }) => userKey)))
            for (const { userKey } of rows) expect(busy.has(userKey)).toBe(false)
            const users = Map.groupBy(rows, ({ userKey }) => userKey)
            const ids = JSON.stringify([...users.values()].map(([first]) => first!.id))
            expect(leaseHeads(store, { ids, lease, leasedUntil: now + 60_000 })).toBe(users.size)
            if (rows.length > 0) leases.push({ lease, rows })
            break
          }
          case 'settle': {
            const one = leases.shift()
            one?.rows.forEach(({ id }, index) => {
              const { lease } = one
              const state = step.outcomes[index] as 'delivered' | 'dead' | 'retry'
              if (state === 'retry') retryDelivery(store, { id, lease, reason: 'no', now, notBefore: now })
              else if (state === 'dead') settleDead(store, { id, lease, reason: 'no', answer: null, now })
              else settleDelivered(store, { ids: `[${id}]`, lease, now })
            })
            for (const { userKey } of one?.rows ?? []) settleHead(store, { ...lane, userKey }, now)
            break
          }
          case 'replay': {
            const dead = list({ state: 'dead' })
            const found = dead[step.which % Math.max(1, dead.length)]
            if (found !== undefined) expect(replayDelivery(store, found.id, terms(now)).kind).toBe('resent')
            break
          }
          case 'crash':
            leases = []
            returnExpiredLeases(store, { now: Number.MAX_SAFE_INTEGER })
            mendHeads(store)
            break
        }
        expectHeads()
      }
    }),
    { numRuns: 150 },
  )
})

test('what was replayed while its user had something under way comes first when that is lost', () => {
  insert('ada')
  insert('ada')
  const [first, second] = open()
  leaseHeads(store, { ids: `[${first!.id}]`, lease: 'one', leasedUntil: 9 })
  settleDead(store, { id: first!.id, lease: 'one', reason: 'no', answer: null, now: 2 })
  settleHead(store, { ...lane, userKey: 'ada' }, 2)
  leaseHeads(store, { ids: `[${second!.id}]`, lease: 'two', leasedUntil: 9 })
  expect(replayDelivery(store, first!.id, terms(3)).kind).toBe('resent')
  expectHeads()
  expect([...dueDeliveries(store, lane, 3, 10)]).toEqual([])
  returnExpiredLeases(store, { now: 10 })
  mendHeads(store)
  expectHeads()
  expect([...dueDeliveries(store, lane, 10, 10)].map(({ id }) => id)).toEqual([first!.id, second!.id])
})

describe('a replay', () => {
  test('of what the mapping gave up puts the item back, once for all of its deliveries', () => {
    insert('', { state: 'dead', payload: null })
    insert('ada', { state: 'dead' })
    const [second, first] = list({ state: 'dead', tenant: 'acme' })
    expect(replayDelivery(store, first!.id, terms(5)).kind).toBe('remapped')
    // With a message, but never tried: Segment would have dropped it.
    expect(replayDelivery(store, second!.id, terms(5)).kind).toBe('remapped')
    expect(findDelivery(store, first!.id)).toBeNull()
    expect(unmappedByGroup(store, {})).toEqual([
      { tenant: 'acme', source: 'segment', open: 2, oldestOpen: 1 },
    ])
    expect(replayDelivery(store, first!.id, terms(5)).kind).toBe('unknown')
  })

  test('of what waits or is under way is refused', () => {
    insert('ada')
    const { id } = open()[0]!
    expect(replayDelivery(store, id, terms(5))).toEqual({ kind: 'refused', state: 'pending' })
    leaseHeads(store, { ids: `[${id}]`, lease: 'mine', leasedUntil: 9 })
    expect(replayDelivery(store, id, terms(5))).toEqual({ kind: 'refused', state: 'leased' })
  })
})

test('what is made anew of an input goes where the old delivery was, before what its user has waiting', () => {
  insert('ada', { state: 'dead' })
  insert('ada')
  const [old] = list({ state: 'dead' })
  const id = old!.id
  expect(replayDelivery(store, id, { ...terms(5), remap: true }).kind).toBe('remapped')
  const [item] = unmappedItems(store, { tenant: 'acme', source: 'segment' }, 9, 1000)
  const made = (messageId: string) => ({
    ...lane,
    call: 'track' as const,
    userKey: 'ada',
    messageId,
    payload: '{}',
    state: 'pending' as const,
    reason: null,
    detail: null,
    notes: null,
  })
  recordMapped(store, [{ item: item!, people: [], deliveries: [made('new-1'), made('new-2')] }], 6)
  expectHeads()
  const due = [...dueDeliveries(store, lane, 6, 10)].map(({ id, messageId }) => [id, messageId])
  expect(due).toEqual([
    [id, 'new-1'],
    [expect.any(Number), 'new-2'],
    [id + 1, expect.any(String)],
  ])
  expect(findDelivery(store, id)).toMatchObject({
    createdAt: 1,
    replayedBy: [{ how: 'remapped', by: 'ada' }],
  })
  expect(store.sqlite.query('select count(*) as left from places').get()).toEqual({ left: 0 })
})

test('what a tenant has that is gone stays as it is, by ID and among all that fit', () => {
  insert('ada', { state: 'dead', tenant: 'gone' })
  insert('ada', { state: 'dead', payload: null })
  const all = () => store.sqlite.query('select id, tenant, state from outbox order by id').all()
  const [first] = all() as Row[]
  const isKnown = (tenant: string) => tenant === 'acme'
  expect(replayDelivery(store, first!.id, terms(5, isKnown))).toEqual({ kind: 'orphaned', tenant: 'gone' })
  const id = beginReplayOf(store, { ...ALL, state: 'dead' }, terms(5, isKnown))
  const part = continueReplay(store, id, terms(5, isKnown))!
  expect(part.done.map(({ replayed }) => replayed.kind)).toEqual(['orphaned', 'remapped'])
  expect(part.record).toMatchObject({ orphaned: 1, remapped: 1, resent: 0, finishedAt: 5, by: 'ada' })
  expect(all()).toEqual([{ id: first!.id, tenant: 'gone', state: 'dead' }])
})

test('what waits is listed without what is under way', () => {
  for (const user of ['ada', 'bob', 'eve']) insert(user)
  const [first] = open()
  leaseHeads(store, { ids: `[${first!.id}]`, lease: 'mine', leasedUntil: 9 })
  const ids = (state: 'pending' | 'leased') => list({ tenant: 'acme', state }).map(({ id }) => id)
  expect(ids('pending')).toEqual([first!.id + 2, first!.id + 1])
  expect(ids('leased')).toEqual([first!.id])
})

test('the tenants with something open are found, each once, in order', () => {
  for (const tenant of ['zeta', 'acme', 'émile', 'acme', 'Beta']) insert('u', { tenant })
  insert('u', { tenant: 'done', state: 'dead' })
  expect([...tenantsWithOpen(store)]).toEqual(['Beta', 'acme', 'zeta', 'émile'])
})

test('groups that wait are gone through from behind the last one and round to it', () => {
  const sources = ['segment', 'refiner_webhook'] as const
  const tenants = ['b', 'a', 'ö', 'c']
  for (const tenant of tenants) {
    for (const source of sources) {
      for (const dedupKey of ['1', '2'])
        insertInboxItem(store, { tenant, source, dedupKey, payload: '', receivedAt: 1 })
    }
  }
  const all = [...waitingGroups(store, null)].map(({ tenant, source }) => `${tenant} ${source}`)
  expect(all).toEqual(['a', 'b', 'c', 'ö'].flatMap((name) => [`${name} refiner_webhook`, `${name} segment`]))
  const round = [...waitingGroups(store, { tenant: 'b', source: 'segment' })]
  expect(round.map(({ tenant, source }) => `${tenant} ${source}`)).toEqual([
    ...all.slice(4),
    ...all.slice(0, 4),
  ])
  const gone = [...waitingGroups(store, { tenant: 'bb', source: 'segment' })]
  expect(gone).toHaveLength(8)
})
