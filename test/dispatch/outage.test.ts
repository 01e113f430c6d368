import { expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Destination, LeasedDelivery, Outcome } from '../../src/contracts/delivery.ts'
import { Dispatcher } from '../../src/dispatch/dispatcher.ts'
import { LaneConduct } from '../../src/dispatch/lane-conduct.ts'
import { Lane } from '../../src/dispatch/lane.ts'
import { RateLimiter } from '../../src/dispatch/rate-limiter.ts'
import { insertInboxItem } from '../../src/store/inbox.ts'
import { openStore, type Store } from '../../src/store/open.ts'
import { hasOpen, insertDelivery } from '../../src/store/outbox.ts'
import { type HandClock, handClock } from '../support/hand-clock.ts'

/** Two lanes on a real file, with a clock that an hour takes no time on: one destination is away, the other is not. */
const settings = { timeoutMs: 1000, minBackoffMs: 1000, maxBackoffMs: 3_600_000, giveUpAfterMs: 345_600_000 }
const RATE = 50
const HOUR = 3_600_000
const down: Outcome = {
  kind: 'retry',
  reason: 'no connection',
  retryAfterMs: null,
  status: null,
  answer: null,
}

interface World {
  readonly clock: HandClock
  readonly store: Store
  readonly dispatcher: Dispatcher
  isDown: boolean
  /** Sends to Segment: when, which, and whether they were taken. */
  readonly sends: { readonly at: number; readonly ids: readonly number[]; readonly taken: boolean }[]
  /** When each delivery to Refiner was taken after it was made, in ms. */
  readonly delays: number[]
  put(destination: Destination, user: string): void
  pass(ms: number, step: number): Promise<void>
  count(where: string): number
  restart(): void
}

test('after an hour away, all is delivered in order, at the full rate, with no attempts burned', async () => {
  using world = await startWorld()
  world.isDown = true
  world.store.transaction(() => {
    for (let n = 0; n < 1000; n++) world.put('segment', `user-${n % 400}`)
  })
  world.dispatcher.wake()
  for (let minute = 0; minute < 60; minute++) {
    world.put('segment', `late-${minute}`)
    world.put('refiner', `user-${minute}`)
    world.dispatcher.wake()
    await world.pass(60_000, 4000)
  }
  expect(world.dispatcher.lane('acme', 'segment')!.status.state).toMatch(/open/)
  expect(world.dispatcher.lane('acme', 'refiner')!.status.state).toBe('ok')
  expect(world.sends.length).toBeLessThan(300)
  expect(world.count('attempts > 2')).toBe(0)
  // The other destination saw nothing of it.
  expect(world.delays).toHaveLength(60)
  expect(Math.max(...world.delays)).toBeLessThanOrEqual(500)

  const back = world.clock.elapsed()
  world.isDown = false
  for (let n = 0; n < 6000 && world.count(`state = 'pending'`) > 0; n++) await world.pass(10, 10)
  expect(world.count(`state = 'delivered' and destination = 'segment'`)).toBe(1060)
  const taken = world.sends.filter((send) => send.taken)
  expect(taken[0]!.at - back).toBeLessThanOrEqual(30_000)
  const [first, last] = [taken[1]!.at, taken.at(-1)!.at]
  expect(taken.length - 2).toBeGreaterThanOrEqual(0.9 * RATE * ((last - first) / 1000))
  expectOrder(world)
})

test('what was tried before a long outage is not given up because of it', async () => {
  using world = await startWorld()
  world.isDown = true
  for (let n = 0; n < 20; n++) world.put('segment', `user-${n}`)
  world.dispatcher.wake()
  await world.pass(5000, 100)
  // Nothing looks while the machine sleeps: the outage is longer than a delivery is tried for.
  world.clock.shift(settings.giveUpAfterMs + HOUR)
  world.isDown = false
  while (world.count(`state = 'delivered'`) === 0) await world.pass(10, 10)
  // It is back, but not quite.
  world.isDown = true
  await world.pass(5000, 10)
  expect(world.count('attempts > 2')).toBeGreaterThan(0)
  world.isDown = false
  await world.pass(40_000, 100)
  expect(world.count(`state = 'delivered'`)).toBe(20)
  expect(world.count(`state = 'dead'`)).toBe(0)
})

test('a lone delivery finds out within half a minute that its destination is back', async () => {
  using world = await startWorld()
  world.isDown = true
  world.put('segment', 'ada')
  world.dispatcher.wake()
  await world.pass(HOUR, 5000)
  world.isDown = false
  await world.pass(36_000, 1000)
  expect(world.count(`state = 'delivered'`)).toBe(1)
})

test('after a restart in an outage, what failed before does not wait out its back-off', async () => {
  using world = await startWorld()
  world.isDown = true
  for (let n = 0; n < 20; n++) world.put('segment', `user-${n}`)
  world.dispatcher.wake()
  await world.pass(HOUR, 5000)
  world.isDown = false
  world.restart()
  await world.pass(2000, 100)
  expect(world.count(`state = 'delivered'`)).toBe(20)
})

function expectOrder({ sends, store }: World): void {
  const users = new Map(
    (
      store.sqlite.query('select id, user_key as user from outbox').all() as { id: number; user: string }[]
    ).map(({ id, user }) => [id, user]),
  )
  const last = new Map<string, number>()
  for (const id of sends.filter(({ taken }) => taken).flatMap(({ ids }) => ids)) {
    const user = users.get(id)!
    expect(id).toBeGreaterThan(last.get(user) ?? 0)
    last.set(user, id)
  }
}

async function startWorld(): Promise<World & Disposable> {
  const folder = mkdtempSync(join(tmpdir(), 'refiner-sync-outage-'))
  const store = await openStore(join(folder, 'outage.db'))
  const clock = handClock()
  const sends: World['sends'] = []
  const delays: number[] = []
  const made = new Map<number, number>()
  const world = { isDown: false }
  let items = 0
  const laneOf = (destination: Destination, send: (some: readonly LeasedDelivery[]) => Outcome) =>
    new Lane('acme', destination, {
      store,
      sender: {
        limits: { messages: 10, concurrency: 4, bytes: 10_000, together: 'all' },
        send: (some) => Promise.resolve(some.map(() => send(some))),
      },
      rate: new RateLimiter(RATE, clock),
      settings,
      conduct: new LaneConduct(settings, clock, () => 0.5),
      clock,
      random: () => 0.5,
      onSettled: () => {},
      onError: fail,
    })
  const toSegment = (some: readonly LeasedDelivery[]): Outcome => {
    const ids = some.map(({ id }) => id)
    const known = sends.at(-1)
    if (known?.at !== clock.elapsed() || known.ids[0] !== ids[0]) {
      sends.push({ at: clock.elapsed(), ids, taken: !world.isDown })
    }
    return world.isDown ? down : { kind: 'delivered' }
  }
  const toRefiner = (some: readonly LeasedDelivery[]): Outcome => {
    delays.push(...some.map(({ id }) => clock.elapsed() - made.get(id)!))
    return { kind: 'delivered' }
  }
  const start = () => {
    const lanes = [laneOf('segment', toSegment), laneOf('refiner', toRefiner)]
    const dispatcher = new Dispatcher(lanes, store, clock, fail)
    dispatcher.recover()
    dispatcher.start()
    return dispatcher
  }
  let dispatcher = start()
  return {
    clock,
    store,
    sends,
    delays,
    get dispatcher() {
      return dispatcher
    },
    get isDown() {
      return world.isDown
    },
    set isDown(value) {
      world.isDown = value
    },
    put(destination, user) {
      items += 1
      insert(store, clock, destination, user, items)
      made.set(items, clock.elapsed())
    },
    async pass(ms, step) {
      for (let passed = 0; passed < ms; passed += step) {
        clock.pass(step)
        await turn()
      }
    },
    count: (where) =>
      (store.sqlite.query(`select count(*) as n from outbox where ${where}`).get() as { n: number }).n,
    restart() {
      void dispatcher.stop(0)
      dispatcher = start()
    },
    [Symbol.dispose]() {
      void dispatcher.stop(0)
      store.close()
      rmSync(folder, { recursive: true })
    },
  }
}

const fail = (error: unknown) => {
  throw error
}

/** Lets promises run. */
const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

function insert(store: Store, clock: HandClock, destination: Destination, user: string, n: number): void {
  const payload = `{"n":${n}}`
  insertInboxItem(store, {
    tenant: 'acme',
    source: 'segment',
    dedupKey: `m-${n}`,
    payload,
    receivedAt: clock.now(),
  })
  insertDelivery(store, {
    inboxId: n,
    tenant: 'acme',
    destination,
    call: 'track',
    userKey: user,
    messageId: `m-${n}`,
    payload,
    state: 'pending',
    reason: null,
    detail: null,
    notes: null,
    now: clock.now(),
    lease: null,
    leasedUntil: null,
    settledAt: null,
    head: hasOpen(store, 'acme', destination, user) ? 0 : 1,
  })
}
