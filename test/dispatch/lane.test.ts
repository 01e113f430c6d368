import { expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import type { Clock } from '../../src/contracts/clock.ts'
import type { LeasedDelivery, Outcome, Sender } from '../../src/contracts/delivery.ts'
import { Dispatcher } from '../../src/dispatch/dispatcher.ts'
import { LaneConduct } from '../../src/dispatch/lane-conduct.ts'
import { Lane } from '../../src/dispatch/lane.ts'
import { RateLimiter } from '../../src/dispatch/rate-limiter.ts'
import { insertInboxItem } from '../../src/store/inbox.ts'
import { openStore, type Store } from '../../src/store/open.ts'
import { hasOpen, insertDelivery } from '../../src/store/outbox.ts'
import { type HandClock, handClock } from '../support/hand-clock.ts'

const NO_ANSWER = { status: null, answer: null } as const

/**
 * A lane on a real file with a clock of its own, against a destination that does whatever it likes: whatever comes,
 * everything settles in the end, each user's deliveries in order, and no user is ever stuck.
 */
const settings = { timeoutMs: 1000, minBackoffMs: 100, maxBackoffMs: 2000, giveUpAfterMs: 30_000 }
const outcomes = fc.constantFrom<Outcome>(
  { kind: 'delivered' },
  { kind: 'retry', reason: 'no', retryAfterMs: null, ...NO_ANSWER },
  { kind: 'retry', reason: 'later', retryAfterMs: 3000, ...NO_ANSWER },
  { kind: 'throttled', reason: 'slowly', retryAfterMs: 500, ...NO_ANSWER },
  { kind: 'unauthorized', reason: 'who', ...NO_ANSWER },
  { kind: 'rejected', reason: 'never', ...NO_ANSWER },
)
const runs = fc.record({
  users: fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 24 }),
  /** What the destination answers, delivery by delivery; when that is used up, it delivers. */
  script: fc.array(outcomes, { maxLength: 40 }),
  /** How long an answer takes, in ms. */
  delays: fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 1, maxLength: 5 }),
  messages: fc.integer({ min: 1, max: 4 }),
  concurrency: fc.integer({ min: 1, max: 3 }),
  /** After how many steps the process is gone, with whatever it had under way. */
  crashAt: fc.option(fc.integer({ min: 1, max: 20 })),
})

test('whatever the destination does, each delivery settles, in order per user, also across a crash', async () => {
  await fc.assert(
    fc.asyncProperty(runs, async ({ users, script, delays, messages, concurrency, crashAt }) => {
      using place = await startPlace()
      const { clock, store } = place
      const world = createDestination(clock, script, delays)
      const limits = { messages, concurrency, bytes: 1000, together: 'all' as const }
      const start = () => startLane(store, world.mortal(clock), { send: (some) => world.send(some), limits })
      let dispatcher = start()
      for (let step = 0; step < 400; step++) {
        if (step < users.length) insert(store, clock, step, users[step]!)
        if (step === crashAt) {
          // Its answers never arrive and its timers never ring: the leases it held are all that is left of it.
          world.forget()
          dispatcher = start()
        }
        dispatcher.wake()
        clock.pass(137)
        await turn()
        expectHeads(store)
        if (step >= users.length && open(store) === 0) break
        if (step > 60) clock.pass(5000)
      }
      expect(open(store)).toBe(0)
      for (const user of new Set(users)) {
        const order = world.taken
          .filter(({ payload }) => payload.includes(`"user":${user},`))
          .map(({ id }) => id)
        expect([...new Set(order)]).toEqual([...new Set(order)].toSorted((a, b) => a - b))
      }
    }),
    { numRuns: 40 },
  )
})

test('a clock that is set back by a day holds nobody up', async () => {
  using place = await startPlace()
  const { clock, store } = place
  const world = createDestination(clock, [], [10])
  const limits = { messages: 1, concurrency: 1, bytes: 1000, together: 'all' as const }
  clock.shift(86_400_000)
  for (let step = 0; step < 6; step++) insert(store, clock, step, 0)
  clock.shift(-86_400_000)
  const dispatcher = startLane(store, clock, { send: (some) => world.send(some), limits })
  for (let second = 0; second < 60 && open(store) > 0; second++) {
    clock.pass(1000)
    await turn()
  }
  expect(world.taken.map(({ id }) => id)).toEqual([1, 2, 3, 4, 5, 6])
  await dispatcher.stop(0)
})

test('a lane goes on as soon as a pause is over, though nobody wakes it', async () => {
  using place = await startPlace()
  const { clock, store } = place
  insert(store, clock, 0, 0)
  const sentAt: number[] = []
  const dispatcher = startLane(store, clock, {
    send(some) {
      sentAt.push(clock.elapsed())
      const first: Outcome = { kind: 'throttled', reason: 'slowly', retryAfterMs: 1000, ...NO_ANSWER }
      return Promise.resolve(some.map(() => (sentAt.length === 1 ? first : { kind: 'delivered' })))
    },
    limits: { messages: 10, concurrency: 1, bytes: 1000, together: 'all' as const },
  })
  for (let step = 0; step < 40 && open(store) > 0; step++) {
    await turn()
    clock.pass(100)
  }
  expect(sentAt).toHaveLength(2)
  expect(sentAt[1]! - sentAt[0]!).toBeLessThan(1500)
  await dispatcher.stop(0)
})

test('a user whose head was lost gets one at the next start', async () => {
  using place = await startPlace()
  const { clock, store } = place
  for (let step = 0; step < 4; step++) insert(store, clock, step, step % 2)
  store.sqlite.run(`update outbox set head = 0 where user_key = 'user-1'`)
  const dispatcher = startLane(store, clock, {
    send: (some) => Promise.resolve(some.map(() => ({ kind: 'delivered' }))),
    limits: { messages: 10, concurrency: 1, bytes: 1000, together: 'all' as const },
  })
  await turn()
  expect(open(store)).toBe(0)
  await dispatcher.stop(0)
})

/** A fresh database file and a clock of its own. */
async function startPlace(): Promise<{ clock: HandClock; store: Store } & Disposable> {
  const folder = mkdtempSync(join(tmpdir(), 'refiner-sync-lane-'))
  const store = await openStore(join(folder, 'lane.db'))
  return {
    clock: handClock(),
    store,
    [Symbol.dispose]() {
      store.close()
      rmSync(folder, { recursive: true })
    },
  }
}

/** Lets promises run. */
const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

function createDestination(clock: HandClock, script: readonly Outcome[], delays: readonly number[]) {
  const left = [...script]
  const taken: LeasedDelivery[] = []
  let sends = 0
  let generation = 0
  return {
    taken,
    forget() {
      generation += 1
    },
    /** The clock for a process that can be gone. */
    mortal(clock: HandClock): Clock {
      const mine = generation
      return { ...clock, after: (ms, work) => clock.after(ms, () => mine === generation && work()) }
    },
    send(deliveries: readonly LeasedDelivery[]): Promise<readonly Outcome[]> {
      const mine = generation
      const answers = deliveries.map(() => left.shift() ?? ({ kind: 'delivered' } as const))
      // A batch is answered as one, but for what is refused for good.
      const whole = answers.find(({ kind }) => kind !== 'delivered' && kind !== 'rejected')
      const made = whole === undefined ? answers : answers.map(() => whole)
      deliveries.forEach((delivery, index) => {
        if (made[index]!.kind === 'delivered') taken.push(delivery)
      })
      const delay = delays[sends++ % delays.length]!
      return new Promise((resolve) => {
        clock.after(delay, () => {
          if (mine === generation) resolve(made)
        })
      })
    },
  }
}

function startLane(store: Store, clock: Clock, sender: Sender): Dispatcher {
  const onError = (error: unknown) => {
    throw error
  }
  const rate = new RateLimiter(1000, clock)
  const random = () => 0.5
  const conduct = new LaneConduct(settings, clock, random)
  const parts = { store, sender, rate, settings, conduct, clock, random, onSettled: () => {}, onError }
  const dispatcher = new Dispatcher([new Lane('acme', 'segment', parts)], store, clock, onError)
  dispatcher.recover()
  dispatcher.start()
  return dispatcher
}

function insert(store: Store, clock: HandClock, step: number, user: number): void {
  const payload = `{"user":${user},"n":${step}}`
  const received = {
    tenant: 'acme',
    source: 'segment',
    dedupKey: `m-${step}`,
    payload,
    receivedAt: clock.now(),
  } as const
  insertInboxItem(store, received)
  insertDelivery(store, {
    inboxId: step + 1,
    tenant: 'acme',
    destination: 'segment',
    call: 'track',
    userKey: `user-${user}`,
    messageId: `m-${step}`,
    payload,
    state: 'pending',
    reason: null,
    detail: null,
    notes: null,
    head: hasOpen(store, 'acme', 'segment', `user-${user}`) ? 0 : 1,
    now: clock.now(),
    lease: null,
    leasedUntil: null,
    settledAt: null,
  })
}

function open(store: Store): number {
  return (
    store.sqlite.query('select count(*) as n from outbox where settled_at is null').get() as { n: number }
  ).n
}

/** Every user with something open has one head, and it is the first. */
function expectHeads(store: Store): void {
  const wrong = store.sqlite
    .query(
      `select user_key, min(id) as first, max(iif(head = 1, id, 0)) as marked from outbox
       where settled_at is null group by user_key having marked <> first`,
    )
    .all()
  expect(wrong).toEqual([])
}
