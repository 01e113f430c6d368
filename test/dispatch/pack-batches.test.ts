import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { packBatches } from '../../src/dispatch/pack-batches.ts'

const deliveries = fc
  .array(
    fc.record({
      userKey: fc.constantFrom('a', 'b', 'c', 'd'),
      payload: fc.string({ unit: 'grapheme', maxLength: 40 }),
    }),
  )
  .map((list) => list.map((delivery, place) => ({ ...delivery, place })))
const limits = fc.record({
  messages: fc.integer({ min: 1, max: 5 }),
  bytes: fc.integer({ min: 1, max: 120 }),
})
const slots = fc.integer({ min: 1, max: 4 })

describe('batches that go out side by side', () => {
  test('keep within the limits, and hold each delivery at most once', () => {
    fc.assert(
      fc.property(deliveries, limits, slots, (due, { messages, bytes }, slots) => {
        const batches = packBatches(due, { messages, bytes }, slots)
        expect(batches.length).toBeLessThanOrEqual(slots)
        for (const batch of batches) {
          expect(batch.length).toBeGreaterThan(0)
          expect(batch.length).toBeLessThanOrEqual(messages)
          const size = Buffer.byteLength(batch.map(({ payload }) => payload).join(','))
          if (batch.length > 1) expect(size).toBeLessThanOrEqual(bytes)
        }
        const places = batches.flat().map(({ place }) => place)
        expect(new Set(places).size).toBe(places.length)
      }),
    )
  })

  test('never let a delivery of a user go without, before, or beside an earlier one of that user', () => {
    fc.assert(
      fc.property(deliveries, limits, slots, (due, limits, slots) => {
        const batches = packBatches(due, limits, slots)
        for (const user of ['a', 'b', 'c', 'd']) {
          const holding = batches.filter((batch) => batch.some(({ userKey }) => userKey === user))
          expect(holding.length).toBeLessThanOrEqual(1)
          const taken = holding.flat().filter(({ userKey }) => userKey === user)
          const first = due.filter(({ userKey }) => userKey === user).slice(0, taken.length)
          expect(taken).toEqual(first)
        }
      }),
    )
  })

  test('always move on: what is due first is in the first batch', () => {
    fc.assert(
      fc.property(deliveries, limits, slots, (due, limits, slots) => {
        expect(packBatches(due, limits, slots)[0]?.[0]).toEqual(due[0])
      }),
    )
  })
})
