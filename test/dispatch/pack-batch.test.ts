import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { packBatch } from '../../src/dispatch/pack-batch.ts'

const deliveries = fc
  .array(fc.record({ payload: fc.string({ unit: 'grapheme', maxLength: 40 }) }))
  .map((list) =>
    list.map((delivery, place) => ({ ...delivery, place, call: 'track', userKey: 'u' }) as const),
  )
const limits = fc.record({
  messages: fc.integer({ min: 1, max: 5 }),
  bytes: fc.integer({ min: 1, max: 120 }),
})

test('a batch is as many of the first as fit, in their order, and never none', () => {
  fc.assert(
    fc.property(deliveries, limits, (due, { messages, bytes }) => {
      const batch = packBatch(due, { messages, bytes, together: 'all' })
      expect(batch).toEqual(due.slice(0, batch.length))
      expect(batch.length).toBeLessThanOrEqual(messages)
      const size = (some: typeof due) => Buffer.byteLength(some.map(({ payload }) => payload).join(','))
      if (batch.length > 1) expect(size(batch)).toBeLessThanOrEqual(bytes)
      if (due.length > 0) expect(batch.length).toBeGreaterThan(0)
      const isFull = batch.length === messages || size(due.slice(0, batch.length + 1)) > bytes
      if (batch.length < due.length) expect(isFull).toBe(true)
    }),
  )
})

test('no more is read than is needed to know', () => {
  let read = 0
  function* endless() {
    for (;;) {
      read += 1
      yield { payload: 'x', call: 'track', userKey: 'u' } as const
    }
  }
  expect(packBatch(endless(), { messages: 3, bytes: 1000, together: 'all' })).toHaveLength(3)
  expect(read).toBe(3)
})

const calls = fc.array(
  fc.record({
    call: fc.constantFrom('identify' as const, 'group' as const, 'track' as const),
    userKey: fc.constantFrom('ada', 'bob'),
    payload: fc.constant('{}'),
  }),
  { minLength: 1 },
)

test('where only identifies go together, they are the leading ones of one user', () => {
  fc.assert(
    fc.property(calls, (due) => {
      const batch = packBatch(due, { messages: 5, bytes: 1000, together: 'identifies' })
      const isOther = ({ call, userKey }: (typeof due)[number]) =>
        call !== 'identify' || userKey !== due[0]!.userKey
      const others = due.findIndex(isOther)
      const run = others < 0 ? due.length : others
      expect(batch).toEqual(due.slice(0, Math.min(Math.max(run, 1), 5)))
    }),
  )
})
