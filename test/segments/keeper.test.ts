import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import type { PeopleChange } from '../../src/contracts/people.ts'
import type { JsonObject } from '../../src/contracts/json.ts'
import { openStore, type Store } from '../../src/store/open.ts'
import { definition, keepSegments, type KeptSegments } from '../support/segments.ts'

let folder: string
let store: Store
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'refiner-sync-segments-'))
  store = await openStore(join(folder, 'test.db'))
})
afterEach(() => {
  store.close()
  rmSync(folder, { recursive: true })
})

const user = (userId: string, traits: JsonObject = {}, refinerUuid: string | null = null): PeopleChange => ({
  kind: 'user',
  userId,
  email: null,
  refinerUuid,
  traits,
})
const account = (accountId: string, traits: JsonObject, userId: string | null = null): PeopleChange => ({
  kind: 'account',
  accountId,
  userId,
  traits,
})
const event = (userId: string, name: string, at = 1): PeopleChange => ({ kind: 'event', userId, name, at })
const response = (
  uuid: string,
  who: { userId?: string; contact?: string },
  answers: JsonObject,
  at = '2026-01-01T00:00:00.000000Z',
): PeopleChange => ({
  kind: 'response',
  response: {
    uuid,
    surveyUuid: 'survey-1',
    surveyName: 'NPS',
    userId: who.userId ?? null,
    contactUuid: who.contact ?? null,
    answers,
    tags: null,
    firstShownAt: null,
    lastShownAt: null,
    lastDataReceptionAt: at,
    completedAt: at,
    dismissedAt: null,
  },
})

describe('members', () => {
  test('are those for whom the condition holds, those who were there before it included', () => {
    const before = keepSegments(store, {})
    before.keep([user('ada', { plan: 'pro' }), user('ben', { plan: 'free' })])
    before.keeper.stop()
    const kept = keepSegments(store, { acme: [definition('pros', 'traits.plan == "pro"')] })
    kept.settle()
    expect(kept.members('pros')).toEqual(['ada'])
    kept.keep([user('ben', { plan: 'pro' })])
    kept.keep([user('ada', { plan: 'free' })])
    kept.settle()
    expect(kept.members('pros')).toEqual(['ben'])
    expect(kept.keeper.status()).toMatchObject([{ name: 'pros', members: 1, isComplete: true }])
  })

  test('follow the account that was seen last, whoever else changes it', () => {
    const kept = keepSegments(store, { acme: [definition('large', 'account.traits.seats > 10')] })
    kept.keep([user('ada'), account('a', { seats: 50 }, 'ada')], 1)
    kept.keep([user('ben'), account('a', {}, 'ben')], 2)
    kept.settle()
    expect(kept.members('large')).toEqual(['ada', 'ben'])
    kept.keep([account('b', { seats: 1 }, 'ada')], 3)
    kept.settle()
    expect(kept.members('large')).toEqual(['ben'])
    kept.keep([account('a', {}, 'ada')], 4)
    kept.keep([account('b', { seats: 1 })], 5)
    kept.settle()
    expect(kept.members('large')).toEqual(['ada', 'ben'])
    kept.keep([account('a', { seats: 2 })], 6)
    kept.settle()
    expect(kept.members('large')).toEqual([])
  })

  test('count by what was answered before the contact was known, while it is nobody else', () => {
    const kept = keepSegments(store, { acme: [definition('promoters', 'int(answers.nps) >= 9')] })
    kept.keep([response('r-1', { contact: 'c-1' }, { nps: '10' })])
    kept.settle()
    kept.keep([user('ada', {}, 'c-1')])
    kept.settle()
    expect(kept.members('promoters')).toEqual(['ada'])
    kept.keep([user('ben', {}, 'c-1')])
    kept.settle()
    expect(kept.members('promoters')).toEqual([])
  })

  test('of a tenant are not those of another', () => {
    const both = definition('pros', 'traits.plan == "pro"')
    const kept = keepSegments(store, { acme: [both], globex: [both] })
    kept.keep([user('ada', { plan: 'pro' })])
    kept.settle()
    expect(kept.members('pros')).toEqual(['ada'])
    expect(kept.members('pros', 'globex')).toEqual([])
  })

  test('are looked at once for what came together, and nobody else is', () => {
    const kept = keepSegments(store, { acme: [definition('pros', 'traits.plan == "pro"')] })
    kept.keep(Array.from({ length: 500 }, (_, index) => user(`u-${index}`, { plan: 'pro' })))
    kept.settle()
    kept.keep([
      user('u-7', { a: 1 }),
      event('u-7', 'Used'),
      event('u-7', 'Used'),
      user('u-9', { plan: 'free' }),
    ])
    const changed = store.sqlite.query('select user_id from segment_users_changed order by place').all()
    expect(changed).toEqual([{ user_id: 'u-7' }, { user_id: 'u-9' }])
    kept.settle()
    expect(kept.keeper.status()).toMatchObject([{ members: 499 }])
  })

  test('a condition that fails holds for nobody, and says why without quoting anybody', () => {
    const kept = keepSegments(store, { acme: [definition('old', 'int(traits.age) > 60')] })
    kept.keep([user('ada', { age: 'ninety' }), user('ben', { age: '61' }), user('cy')])
    kept.settle()
    expect(kept.members('old')).toEqual(['ben'])
    const [status] = kept.keeper.status()
    expect(status!.lastFailure!.reason).toBe('`int(traits.age)`: int conversion error')
  })
})

describe('a change of the configuration', () => {
  const told = { refinerSegment: 'segment-uuid', trait: 'is_pro', enteredEvent: 'In', leftEvent: 'Out' }

  test('of a condition lets the members be those of the new one, and tells of who enters and leaves', () => {
    const kept = keepSegments(store, { acme: [definition('s', 'traits.plan == "pro"', told)] })
    kept.keep([
      user('ada', { plan: 'pro' }),
      user('ben', { plan: 'free' }),
      user('cy', { plan: 'pro', x: 1 }),
    ])
    kept.settle()
    kept.configure({ acme: [definition('s', 'traits.plan == "free" || "x" in traits', told)] })
    kept.settle()
    expect(kept.members('s')).toEqual(['ben', 'cy'])
    expect(kept.told().map(({ userId, entered, event: of }) => [userId, entered, of])).toEqual([
      ['ada', true, 'In'],
      ['cy', true, 'In'],
      ['ada', false, 'Out'],
      ['ben', true, 'In'],
    ])
  })

  test('that names a segment of Refiner puts the members into it, and tells nothing else anew', () => {
    const condition = 'traits.plan == "pro"'
    const kept = keepSegments(store, { acme: [definition('s', condition, { trait: 'is_pro' })] })
    kept.keep([user('ada', { plan: 'pro' }), user('ben', { plan: 'free' })])
    kept.settle()
    kept.configure({
      acme: [definition('s', condition, { trait: 'is_pro', refinerSegment: 'segment-uuid' })],
    })
    kept.settle()
    kept.configure({ acme: [definition('s', condition, { trait: 'is_pro', refinerSegment: 'another' })] })
    kept.settle()
    const all = kept
      .told()
      .map(({ userId, entered, refinerSegment, trait }) => [userId, entered, refinerSegment, trait])
    expect(all).toEqual([
      ['ada', true, null, 'is_pro'],
      ['ada', true, 'segment-uuid', null],
      ['ada', true, 'another', null],
    ])
  })

  test('that takes a segment away tells nobody, and one of the same name is a new one', () => {
    const kept = keepSegments(store, { acme: [definition('s', 'traits.plan == "pro"', told)] })
    kept.keep([user('ada', { plan: 'pro' })])
    kept.settle()
    kept.configure({ acme: [] })
    kept.settle()
    expect(store.sqlite.query('select * from segment_members').all()).toEqual([])
    expect(store.sqlite.query('select * from segments').all()).toEqual([])
    kept.keep([user('ben', { plan: 'pro' })])
    expect(store.sqlite.query('select * from segment_users_changed').all()).toEqual([])
    kept.configure({ acme: [definition('s', 'traits.plan == "pro"', told)] })
    kept.settle()
    expect(kept.members('s')).toEqual(['ada', 'ben'])
    expect(kept.told().map(({ userId }) => userId)).toEqual(['ada', 'ada', 'ben'])
    expect(new Set(kept.told().map(({ key }) => key)).size).toBe(3)
  })

  test('that takes a tenant away for a while leaves nobody out once it is back', () => {
    const segments = [definition('pros', 'traits.plan == "pro"', told)]
    const kept = keepSegments(store, { acme: segments })
    kept.keep([user('ada', { plan: 'pro' })])
    kept.settle()
    kept.configure({ globex: [] })
    kept.settle()
    kept.keep([user('ada', { plan: 'free' }), user('ben', { plan: 'pro' })])
    kept.settle()
    kept.configure({ acme: segments })
    kept.settle()
    expect(kept.members('pros')).toEqual(['ben'])
    expect(kept.told().map(({ userId, entered }) => [userId, entered])).toEqual([
      ['ada', true],
      ['ada', false],
      ['ben', true],
    ])
  })

  test('waits with looking at everybody while much waits to be sent, and goes on where it was after a start', () => {
    let waiting = 0
    const before = keepSegments(store, {})
    before.keep(Array.from({ length: 350 }, (_, index) => user(`u-${1000 + index}`, { plan: 'pro' })))
    before.keeper.stop()
    const segments = { acme: [definition('pros', 'traits.plan == "pro"', told)] }
    const kept = keepSegments(store, segments, { waiting: () => (waiting += 6000) })
    kept.settle()
    expect(kept.keeper.status()).toMatchObject([{ members: 100, isComplete: false }])
    kept.keeper.stop()
    const again = keepSegments(store, segments)
    again.settle()
    expect(again.keeper.status()).toMatchObject([{ members: 350, isComplete: true }])
    expect(again.told().length).toBe(350)
  })
})

describe('whatever else there is to do', () => {
  const pros = definition('pros', 'traits.plan == "pro"')

  test('everybody is looked at while changes come without an end', () => {
    const before = keepSegments(store, {})
    before.keep(Array.from({ length: 350 }, (_, index) => user(`u-${index}`, { plan: 'pro' })))
    before.keeper.stop()
    const kept = keepSegments(store, { acme: [pros] })
    for (let turn = 0; turn < 50; turn += 1) {
      kept.keep([user('other', { turn })])
      kept.clock.pass(10)
    }
    expect(kept.keeper.status()).toMatchObject([{ members: 350, isComplete: true }])
  })

  test('users are looked at while accounts change without an end', () => {
    const kept = keepSegments(store, { acme: [pros] })
    kept.keep(Array.from({ length: 20 }, (_, index) => account(`a-${index}`, {}, 'ben')))
    kept.settle()
    kept.keep([user('ada', { plan: 'pro' })])
    for (let turn = 0; turn < 20; turn += 1) {
      kept.keep(Array.from({ length: 20 }, (_, index) => account(`a-${index}`, { turn })))
      kept.clock.pass(10)
    }
    expect(kept.members('pros')).toEqual(['ada'])
  })

  test('all members of an account are looked at, and those of others, though it changes all the time', () => {
    const kept = keepSegments(store, {
      acme: [definition('large', 'accounts.exists(a, a.traits.seats > 10)')],
    })
    const members = Array.from({ length: 350 }, (_, index) => account('a', {}, `u-${1000 + index}`))
    kept.keep([account('a', { seats: 1 }), ...members, account('b', { seats: 1 }, 'ben')])
    kept.settle()
    kept.keep([account('b', { seats: 11 })])
    for (let turn = 0; turn < 30; turn += 1) {
      kept.keep([account('a', { seats: 11 + turn })])
      kept.clock.pass(10)
    }
    expect(kept.members('large').length).toBe(351)
    kept.keep([account('a', { seats: 1 })])
    kept.settle()
    expect(kept.members('large')).toEqual(['ben'])
    expect(store.sqlite.query('select * from segment_accounts_changed').all()).toEqual([])
  })

  test('what takes long is done bit by bit', () => {
    const kept = keepSegments(store, { acme: [pros] }, { slowMs: 10 })
    kept.settle()
    kept.keep(Array.from({ length: 50 }, (_, index) => user(`u-${index}`, { plan: 'pro' })))
    kept.clock.pass(25)
    expect(kept.members('pros').length).toBe(1)
    kept.settle()
    expect(kept.members('pros').length).toBe(50)
  })

  test('it does not itself fill what the sources of a tenant may have waiting', () => {
    const before = keepSegments(store, {})
    before.keep([user('ada', { plan: 'pro' })])
    before.keeper.stop()
    const telling = { ...pros, name: 'told', trait: 'is_pro' }
    const kept = keepSegments(
      store,
      { acme: [telling, { ...pros, name: 'untold' }] },
      { waiting: () => 60, mostPending: () => 100 },
    )
    kept.settle()
    expect(kept.keeper.status()).toMatchObject([
      { name: 'told', members: 0, isComplete: false },
      { name: 'untold', members: 1, isComplete: true },
    ])
  })
})

/** Each begins with a user who has been looked at, and ends with one thing that changes who is in the segment. */
const ALONE: readonly (readonly [
  what: string,
  condition: string,
  before: readonly PeopleChange[],
  change: PeopleChange,
  members: readonly string[],
])[] = [
  ['a first event', '"Used" in events', [], event('ada', 'Used'), ['ada']],
  ['another event', 'events["Used"].count > 1', [event('ada', 'Used')], event('ada', 'Used'), ['ada']],
  [
    'an account that is there',
    'account.traits.seats > 1',
    [account('a', { seats: 2 })],
    account('a', {}, 'ada'),
    ['ada'],
  ],
  ['a uuid', 'user.uuid != ""', [], user('ada', {}, 'c-1'), ['ada']],
  ['a response', '"nps" in answers', [], response('r-1', { userId: 'ada' }, { nps: '9' }), ['ada']],
  [
    'another answer',
    'answers.nps == "9"',
    [response('r-1', { userId: 'ada' }, { nps: '1' })],
    response('r-1', { userId: 'ada' }, { nps: '9' }),
    ['ada'],
  ],
  [
    'a response that turns out to be of somebody else',
    '"nps" in answers',
    [user('ben'), response('r-1', { userId: 'ada' }, { nps: '9' })],
    response('r-1', { userId: 'ben' }, { nps: '9' }),
    ['ben'],
  ],
  [
    'a response of a known contact without a user',
    '"nps" in answers',
    [user('ada', {}, 'c-1')],
    response('r-1', { contact: 'c-1' }, { nps: '9' }),
    ['ada'],
  ],
  [
    'the cookie of a contact',
    '"nps" in answers',
    [response('r-1', { contact: 'cookie-1' }, { nps: '9' })],
    { kind: 'contact', uuid: 'c-1', userId: 'ada', email: null, cookieUuid: 'cookie-1' },
    ['ada'],
  ],
]

test.each(ALONE.map((one) => [...one] as const))(
  'a user is looked at for %s alone',
  (_what, condition, before, change, members) => {
    const kept = keepSegments(store, { acme: [definition('s', condition)] })
    kept.keep([user('ada'), ...before], 1)
    kept.settle()
    kept.keep([change], 2)
    kept.settle()
    expect(kept.members('s')).toEqual([...members])
  },
)

test('who loses an answer to another contact is looked at', () => {
  const kept = keepSegments(store, { acme: [definition('promoters', 'int(answers.nps) >= 9')] })
  kept.keep([user('ada', {}, 'c-1'), response('r-1', { contact: 'c-1' }, { nps: '10' })])
  kept.settle()
  expect(kept.members('promoters')).toEqual(['ada'])
  kept.keep([user('ben', {}, 'c-2'), response('r-1', { userId: 'ben', contact: 'c-2' }, { nps: '10' })])
  kept.settle()
  expect(kept.members('promoters')).toEqual(['ben'])
})

test('who was forgotten and is back is told of under IDs of its own', () => {
  const kept = keepSegments(store, {
    acme: [definition('pros', 'traits.plan == "pro"', { trait: 'is_pro' })],
  })
  kept.keep([user('ada', { plan: 'pro' })])
  kept.settle()
  forgetNow(store, 'ada')
  expect(kept.members('pros')).toEqual([])
  kept.keep([user('ada', { plan: 'pro' })])
  kept.settle()
  expect(kept.members('pros')).toEqual(['ada'])
  const told = kept.told()
  expect(new Set(told.map(({ key }) => key)).size).toBe(told.length)
  expect(told.length).toBe(2)
})

/** As forgetting does to these tables; the item stays, so that a second one of the same ID would not get in. */
function forgetNow(from: Store, userId: string): void {
  from.sqlite.run('delete from segment_members where user_id = ?', [userId])
  from.sqlite.run('delete from users where user_id = ?', [userId])
}

const SEGMENTS = [
  definition('pros', 'traits.plan == "pro"', { trait: 'is_pro' }),
  definition('large', 'account.traits.seats > 4', { trait: 'is_large' }),
  definition('active', 'events["Used"].count >= 3', { trait: 'is_active' }),
  definition('promoters', 'int(answers.nps) >= 9', { trait: 'promotes' }),
  definition('idle', 'traits.plan != "pro" && !("Used" in events)', { trait: 'is_idle' }),
]

interface ModelUser {
  plan?: string
  used: number
  uuids: Set<string>
  accounts: Map<string, number>
}

/** What the conditions mean, said in another language and of another memory. */
class Model {
  readonly users = new Map<string, ModelUser>()
  readonly seats = new Map<string, number>()
  readonly responses = new Map<string, { user: string | null; contact: string; nps: string; at: string }>()

  user(id: string): ModelUser {
    let known = this.users.get(id)
    if (known === undefined) this.users.set(id, (known = { used: 0, uuids: new Set(), accounts: new Map() }))
    return known
  }

  members(name: string): string[] {
    return [...this.users.keys()].filter((id) => this.#holds(name, id)).toSorted()
  }

  #holds(name: string, id: string): boolean {
    const { plan, used, accounts } = this.users.get(id)!
    switch (name) {
      case 'pros':
        return plan === 'pro'
      case 'idle':
        return plan !== undefined && plan !== 'pro' && used === 0
      case 'active':
        return used >= 3
      case 'large': {
        const [last] = [...accounts].toSorted(([a, at], [b, bt]) => bt - at || (a < b ? -1 : 1))
        return last !== undefined && (this.seats.get(last[0]) ?? 0) > 4
      }
      default: {
        const own = [...this.responses].filter(
          ([, { user: of, contact }]) => of === id || (of === null && this.#isOnly(id, contact)),
        )
        const [latest] = own.toSorted(([a, one], [b, other]) =>
          one.at === other.at ? (a < b ? -1 : 1) : one.at < other.at ? 1 : -1,
        )
        return latest !== undefined && Number(latest[1].nps) >= 9
      }
    }
  }

  #isOnly(id: string, contact: string): boolean {
    const having = [...this.users].filter(([, { uuids }]) => uuids.has(contact)).map(([one]) => one)
    return having.length === 1 && having[0] === id
  }
}

const USERS = ['u-1', 'u-2', 'u-3']
const id = fc.constantFrom(...USERS)
const contact = fc.constantFrom('c-1', 'c-2')
const step = fc.oneof(
  fc.record({ kind: fc.constant('plan' as const), id, plan: fc.constantFrom('pro', 'free') }),
  fc.record({ kind: fc.constant('uuid' as const), id, contact }),
  fc.record({ kind: fc.constant('used' as const), id }),
  fc.record({ kind: fc.constant('joins' as const), id, of: fc.constantFrom('a-1', 'a-2') }),
  fc.record({
    kind: fc.constant('seats' as const),
    of: fc.constantFrom('a-1', 'a-2'),
    seats: fc.integer({ min: 0, max: 9 }),
  }),
  fc.record({
    kind: fc.constant('answer' as const),
    uuid: fc.constantFrom('r-1', 'r-2', 'r-3', 'r-4'),
    id: fc.option(id),
    contact,
    nps: fc.constantFrom('3', '8', '9', '10'),
    day: fc.integer({ min: 10, max: 14 }),
  }),
  fc.record({ kind: fc.constant('look' as const), ms: fc.integer({ min: 1, max: 100 }) }),
  fc.constant({ kind: 'restart' as const }),
  fc.constant({ kind: 'compare' as const }),
)

test('members are those of a full evaluation, whatever changed in whatever order', () => {
  let runs = 0
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 80 }), (steps) => {
      // Each run has a tenant of its own.
      follow(`tenant-${(runs += 1)}`, steps)
    }),
    { numRuns: 100 },
  )
})

type Step = typeof step extends fc.Arbitrary<infer S> ? S : never

function follow(tenant: string, steps: readonly Step[]): void {
  const model = new Model()
  let kept = keepSegments(store, { [tenant]: SEGMENTS }, { tenant })
  let time = 0
  for (const one of steps) {
    time += 1
    switch (one.kind) {
      case 'plan':
        model.user(one.id).plan = one.plan
        kept.keep([user(one.id, { plan: one.plan })], time)
        break
      case 'uuid':
        model.user(one.id).uuids.add(one.contact)
        kept.keep([user(one.id, {}, one.contact)], time)
        break
      case 'used':
        model.user(one.id).used += 1
        kept.keep([event(one.id, 'Used', time)], time)
        break
      case 'joins':
        model.user(one.id).accounts.set(one.of, time)
        kept.keep([account(one.of, {}, one.id)], time)
        break
      case 'seats':
        model.seats.set(one.of, one.seats)
        kept.keep([account(one.of, { seats: one.seats })], time)
        break
      case 'answer':
        answer(model, one)
        if (one.id !== null) model.user(one.id).uuids.add(one.contact)
        kept.keep(
          [
            ...(one.id === null ? [] : [user(one.id, {}, one.contact)]),
            response(
              one.uuid,
              { ...(one.id !== null && { userId: one.id }), contact: one.contact },
              { nps: one.nps },
              dayOf(one.day),
            ),
          ],
          time,
        )
        break
      case 'look':
        kept.clock.pass(one.ms)
        break
      case 'restart':
        kept.keeper.stop()
        kept = keepSegments(store, { [tenant]: SEGMENTS }, { tenant })
        break
      case 'compare':
        compare(kept, model)
        break
    }
  }
  compare(kept, model)
  kept.keeper.stop()
}

function compare(kept: KeptSegments, model: Model): void {
  kept.settle()
  for (const { name } of SEGMENTS) {
    const members = model.members(name)
    expect([name, kept.members(name)]).toEqual([name, members])
    expect(kept.keeper.status().find((one) => one.name === name)!.members).toBe(members.length)
    for (const userId of USERS) {
      // Each time that somebody enters or leaves is told, in turn.
      const told = kept.told().filter((one) => one.segment === name && one.userId === userId)
      expect(told.map(({ entered }) => entered)).toEqual(told.map((_, index) => index % 2 === 0))
      expect(told.length % 2 === 1).toBe(members.includes(userId))
    }
  }
}

const dayOf = (day: number) => `2026-01-${day}T00:00:00.000000Z`

/** As reports of a response are kept: the newest answers, and what was ever known of whose they are. */
function answer(model: Model, one: Extract<Step, { kind: 'answer' }>): void {
  const known = model.responses.get(one.uuid)
  const at = dayOf(one.day)
  model.responses.set(one.uuid, {
    user: one.id ?? known?.user ?? null,
    contact: one.contact,
    nps: known === undefined || at >= known.at ? one.nps : known.nps,
    at: known === undefined || at >= known.at ? at : known.at,
  })
}
