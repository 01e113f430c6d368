import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { mergeIdentifies } from '../../src/clients/merge-identifies.ts'

type Traits = Record<string, unknown>

const names = fc.constantFrom('email', 'plan', 'name', 'city', '__proto__', 'constructor', '7', 'ä')
const value = fc.oneof(fc.string(), fc.integer(), fc.constant(null), fc.boolean(), fc.double({ noNaN: true }))
const traits = fc.array(fc.tuple(names, value), { maxLength: 6 })
const account = fc.option(traits.map((list) => fromPairs([['id', 'account-7'], ...list])))
const body = fc.record({ traits, account }).map(({ traits, account }) => {
  return fromPairs([['id', 'ada'], ...traits, ...(account === null ? [] : [['account', account] as const])])
})

/** What Refiner knows after these calls, one after the other. */
function apply(known: Map<string, unknown>, calls: readonly Traits[]): Map<string, unknown> {
  for (const call of calls) {
    for (const [name, given] of Object.entries(call)) {
      const before = known.get(name)
      const isAccount = name === 'account'
      const after = new Map(isAccount && before instanceof Map ? before : [])
      if (isAccount) for (const [key, one] of Object.entries(given as Traits)) after.set(key, one)
      known.set(name, isAccount ? after : given)
    }
  }
  return known
}

test('one merged call does what the calls would do one after the other, in the order of the traits', () => {
  fc.assert(
    fc.property(fc.array(body, { minLength: 1, maxLength: 8 }), (bodies) => {
      const merged = mergeIdentifies(bodies.map((one) => JSON.stringify(one)))
      const sent = JSON.parse(merged!) as Traits
      const wire = bodies.map((one) => JSON.parse(JSON.stringify(one)) as Traits)
      expect(apply(new Map(), [sent])).toEqual(apply(new Map(), wire))
      const isIndex = (name: string) => /^\d+$/.test(name)
      const order = [...new Set(wire.flatMap((one) => Object.keys(one)))].filter((name) => !isIndex(name))
      expect(Object.keys(sent).filter((name) => !isIndex(name))).toEqual(order)
    }),
  )
})

test.each([
  ['two users', ['{"id":"ada"}', '{"id":"bob"}']],
  ['nobody', ['{"email":"a@example.com"}', '{"email":"b@example.com"}']],
  ['two accounts', ['{"id":"ada","account":{"id":"x"}}', '{"id":"ada","account":{"id":"y"}}']],
])('calls about %s are not merged', (_, payloads) => {
  expect(mergeIdentifies(payloads)).toBeNull()
})

function fromPairs(pairs: readonly (readonly [string, unknown])[]): Traits {
  return Object.fromEntries(pairs)
}
