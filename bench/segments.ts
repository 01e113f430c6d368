/**
 * What keeping segments costs: `bun bench/segments.ts [--users 100000] [--updates 10000]`. Fills a database with users who
 * have an account, events and answers; looks at everybody for four segments; lets random updates arrive; compares the members
 * with a full evaluation; and measures what one more message costs with so many users, and with a hundredth and a tenth
 * of them.
 */
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Clock } from '../src/contracts/clock.ts'
import type { PeopleChange } from '../src/contracts/people.ts'
import type { SegmentDefinition } from '../src/contracts/segments.ts'
import { compileCondition, membershipsOf } from '../src/rules/segment-conditions.ts'
import { silentLog } from '../src/observe/log.ts'
import { SegmentKeeper } from '../src/segments/keeper.ts'
import { openStore, type Store } from '../src/store/open.ts'
import { applyPeopleChanges } from '../src/store/record-mapped.ts'
import { membersAfter } from '../src/store/segment-members.ts'
import { segmentsOf, usersAfter } from '../src/store/segments.ts'
import { findUserFacts } from '../src/store/user-facts.ts'
import { removeFolder, temporaryFolder } from './processes.ts'

const { values } = parseArgs({
  options: {
    users: { type: 'string', default: '100000' },
    updates: { type: 'string', default: '10000' },
    seed: { type: 'string', default: '1' },
  },
})
const [users, updates] = [Number(values.users), Number(values.updates)]

const segment = (name: string, condition: string): SegmentDefinition => {
  return { name, condition, refinerSegment: null, trait: null, enteredEvent: null, leftEvent: null }
}
const SEGMENTS = [
  segment('pros', 'traits.plan == "pro"'),
  segment('promoters', 'int(answers.nps) >= 9'),
  segment('active', 'events["Used"].count >= 2 && account.traits.seats > 10'),
  segment('at risk', 'traits.plan == "pro" && int(answers.nps) <= 6 && !("Upgraded" in events)'),
]
const TENANT = 'bench'

let state = Number(values.seed)
/** A whole number below `below`; the same row of them for the same seed. */
function random(below: number): number {
  state = (state + 0x6d2b79f5) >>> 0
  let mixed = Math.imul(state ^ (state >>> 15), state | 1)
  mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
  return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below)
}

const folder = temporaryFolder()
try {
  const costs: { size: number; micros: number }[] = []
  for (const size of [users / 100, users / 10, users].map(Math.round)) {
    const store = await openStore(join(folder, `${size}.db`))
    fill(store, size)
    const kept = keepSegments(store)
    const began = performance.now()
    kept.keeper.start(new Map([[TENANT, { name: TENANT, segments: SEGMENTS }]]))
    kept.settle()
    const scanned = performance.now() - began
    const each: number[] = []
    for (let n = 0; n < updates; n += 1) {
      arrive(store, [randomUpdate(size)])
      const arrived = performance.now()
      kept.settle()
      each.push(performance.now() - arrived)
    }
    const wrong = size === users ? compare(store) : null
    kept.keeper.stop()
    const micros = median(each) * 1000
    costs.push({ size, micros })
    say(
      `${size.toLocaleString('en-US')} users: looking at everybody ${(scanned / 1000).toFixed(1)} s ` +
        `(${Math.round((size / scanned) * 1000).toLocaleString('en-US')}/s); one more message ${micros.toFixed(0)} µs` +
        (wrong === null
          ? ''
          : `; after ${updates.toLocaleString('en-US')} updates ${wrong} members are wrong`),
    )
    store.close()
    if (wrong !== null && wrong > 0) process.exitCode = 1
  }
  const [small, , large] = costs
  say(
    `one more message costs ${(large!.micros / small!.micros).toFixed(2)}× of what it costs with a hundredth of the users`,
  )
} finally {
  removeFolder(folder)
}

function fill(store: Store, size: number): void {
  for (let from = 0; from < size; from += 1000) {
    const changes: PeopleChange[] = []
    for (let n = from; n < Math.min(size, from + 1000); n += 1) {
      changes.push(user(n), account(n), used(n), ...(n % 3 === 0 ? [answered(n)] : []))
    }
    arrive(store, changes)
  }
}

function randomUpdate(size: number): PeopleChange {
  const n = random(size)
  switch (random(4)) {
    case 0:
      return user(n)
    case 1:
      return account(n)
    case 2:
      return used(n)
    default:
      return answered(n)
  }
}

function user(n: number): PeopleChange {
  const traits = { plan: random(3) === 0 ? 'pro' : 'free', city: `city-${random(500)}` }
  return { kind: 'user', userId: `user-${n}`, email: `user-${n}@example.com`, refinerUuid: null, traits }
}

/** About ten users have one account; its traits are those of its first user. */
function account(n: number): PeopleChange {
  const traits = n % 10 === 0 ? { seats: random(20) } : {}
  return { kind: 'account', accountId: `account-${Math.floor(n / 10)}`, userId: `user-${n}`, traits }
}

function used(n: number): PeopleChange {
  return { kind: 'event', userId: `user-${n}`, name: random(20) === 0 ? 'Upgraded' : 'Used', at: 1 }
}

function answered(n: number): PeopleChange {
  const at = new Date(1_700_000_000_000 + random(1_000_000_000)).toISOString()
  return {
    kind: 'response',
    response: {
      uuid: `response-${n}-${random(3)}`,
      surveyUuid: 'survey',
      surveyName: 'NPS',
      userId: `user-${n}`,
      contactUuid: null,
      answers: { nps: String(random(11)), why: 'since it is as it is' },
      tags: null,
      firstShownAt: null,
      lastShownAt: null,
      lastDataReceptionAt: at,
      completedAt: at,
      dismissedAt: null,
    },
  }
}

function arrive(store: Store, changes: readonly PeopleChange[]): void {
  store.relaxedTransaction(() => applyPeopleChanges(store, { tenant: TENANT, receivedAt: 1 }, changes))
}

/** The daemon's keeper of segments, without its pauses. */
function keepSegments(store: Store) {
  let next: { ms: number; work: () => void } | null = null
  const clock: Clock = {
    now: () => Date.now(),
    elapsed: () => performance.now(),
    after(ms, work) {
      const timer = { ms, work }
      next = timer
      return () => {
        if (next === timer) next = null
      }
    },
  }
  const keeper = new SegmentKeeper({
    store,
    clock,
    log: silentLog,
    onError(error) {
      throw error
    },
    wakeMapper() {},
    isFlooded: () => false,
    waiting: () => 0,
    mostPending: () => Infinity,
  })
  return {
    keeper,
    /** Does all that is to be done: when nothing is, it waits for a second. */
    settle() {
      keeper.wake()
      for (let timer = next; timer !== null && timer.ms < 1000; timer = next) {
        next = null
        timer.work()
      }
    },
  }
}

/** How many users are in a segment and should not be, or the other way round. */
function compare(store: Store): number {
  const segments = segmentsOf(store, { tenant: TENANT }).map((row) => {
    return { row, condition: compileCondition(row.condition) }
  })
  const members = segments.map(
    ({ row }) =>
      new Set(
        membersAfter(store, { segmentId: row.id, after: '', limit: 10_000_000 }).map(({ userId }) => userId),
      ),
  )
  let wrong = 0
  for (const { userId } of usersAfter(store, { tenant: TENANT, after: '', limit: 10_000_000 })) {
    const facts = findUserFacts(store, TENANT, userId)!
    const right = membershipsOf(
      segments.map(({ condition }) => condition),
      facts,
    )
    for (const [index, { member }] of right.entries()) if (members[index]!.has(userId) !== member) wrong += 1
  }
  for (const [index, { row }] of segments.entries()) {
    say(`  ${row.name}: ${members[index]!.size} members, ${row.members} counted`)
    if (members[index]!.size !== row.members) wrong += 1
  }
  return wrong
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]!
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}
