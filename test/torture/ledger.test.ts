import { expect, test } from 'bun:test'
import { isIdentify, traitsOf } from './identifies.ts'
import { type Item, nameOf } from './item.ts'
import { Ledger, type Taken, type Verdict } from './ledger.ts'

const message = (n: number): Item => ({ tenant: 'acme', way: 'message', user: 'ada', n })
const all = Array.from({ length: 40 }, (_, n) => message(n))
/** Runs of identifies, one with a track between: as the daemon would send them. */
const first = all.findIndex(
  (item, at) => isIdentify(item) && isIdentify(message(at + 1)) && !isIdentify(message(at + 2)),
)
const [one, two, track] = [message(first), message(first + 1), message(first + 2)]
const last = all.find((item) => item.n > track.n && isIdentify(item))!

/** A call with these identifies, merged in this order. */
function identify(items: readonly Item[], changes: Readonly<Record<string, unknown>> = {}): Taken {
  const arrivals = items.map((item) => ({ ...arrival(item), call: 'identify' }))
  return { arrivals, identified: Object.assign({ id: 'ada' }, ...items.map(traitsOf), changes) }
}

function arrival(item: Item) {
  return {
    destination: 'refiner',
    tenant: 'acme',
    call: 'track',
    name: nameOf(item),
    messageId: null,
  } as const
}

/** What comes of it when all of these were acknowledged. */
function verdictOf(items: readonly Item[], calls: readonly Taken[]): Verdict {
  const ledger = new Ledger()
  for (const item of items) {
    ledger.sent(item)
    ledger.acknowledged(item)
  }
  for (const call of calls) ledger.took(call)
  return ledger.verdict()
}

const tracked: Taken = { arrivals: [arrival(track)], identified: null }
const nothing = { lost: [], invented: [], outOfOrder: [], wrongTenant: [], wrongTraits: [] }

test('identifies that were merged in their order are well', () => {
  expect(verdictOf([one, two, track, last], [identify([one, two]), tracked, identify([last])])).toMatchObject(
    {
      ...nothing,
      merged: 1,
    },
  )
})

test('copies of what came without an answer, merged otherwise, are well', () => {
  const calls = [identify([one]), identify([one, two]), tracked]
  expect(verdictOf([one, two, track], calls)).toMatchObject({
    ...nothing,
    copies: { segment: 0, refiner: 1 },
  })
})

test('an identify whose traits the merged call leaves out is lost', () => {
  const { lost } = verdictOf([one, two], [identify([two])])
  expect(lost).toEqual([`refiner identify ${nameOf(one)}`])
})

test('a merged call in which an earlier value wins has wrong traits', () => {
  const { lost, wrongTraits } = verdictOf([one, two], [identify([one, two], { latest: one.n })])
  expect(lost).toEqual([])
  expect(wrongTraits).toHaveLength(2)
})

test('an earlier identify that comes last leaves wrong traits at the end', () => {
  const { wrongTraits } = verdictOf([one, two], [identify([two]), identify([one])])
  expect(wrongTraits).toHaveLength(1)
  expect(wrongTraits[0]).toStartWith('acme/ada latest is')
})

test('an identify that was given up and replayed may come last', () => {
  const ledger = new Ledger()
  for (const item of [one, two]) {
    ledger.sent(item)
    ledger.acknowledged(item)
  }
  ledger.refused(identify([one]))
  for (const item of [two, one]) ledger.took(identify([item]))
  expect(ledger.verdict()).toMatchObject(nothing)
})

test('a merged call that jumps over a track is out of order', () => {
  const { outOfOrder } = verdictOf([one, two, track, last], [identify([one, two, last]), tracked])
  expect(outOfOrder).toEqual([`refiner track ${nameOf(track)}`])
})

test('traits that nobody sent are invented', () => {
  const { invented } = verdictOf([one], [identify([one, two])])
  expect(invented).toEqual([`refiner identify ${nameOf(two)}`])
})

test("another user's traits are wrong, and another tenant's key as well", () => {
  expect(verdictOf([one], [identify([one], { id: 'bob' })]).wrongTraits).toContain(
    `acme/bob was given the traits of ${nameOf(one)}`,
  )
  const { arrivals, identified } = identify([one])
  const elsewhere = { arrivals: arrivals.map((call) => ({ ...call, tenant: 'umbra' })), identified }
  expect(verdictOf([one], [elsewhere]).wrongTenant).toEqual([`refiner identify ${nameOf(one)} came to umbra`])
})
