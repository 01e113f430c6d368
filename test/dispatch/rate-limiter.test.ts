import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { RateLimiter } from '../../src/dispatch/rate-limiter.ts'
import { handClock } from '../support/hand-clock.ts'

test('lets the first go at once, and spaces the rest evenly', () => {
  const limiter = new RateLimiter(10, handClock())
  expect(Array.from({ length: 4 }, () => limiter.take())).toEqual([0, 100, 200, 300])
})

test('saves nothing up: after an hour without requests it is the same', () => {
  const clock = handClock()
  const limiter = new RateLimiter(2, clock)
  limiter.take()
  clock.pass(3_600_000)
  expect(Array.from({ length: 3 }, () => limiter.take())).toEqual([0, 500, 1000])
})

test('never lets more go within a second than the rate says', () => {
  const rates = fc.constantFrom(1, 2, 5, 10, 50, 100)
  const pauses = fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 1, maxLength: 80 })
  fc.assert(
    fc.property(rates, pauses, (perSecond, waits) => {
      const clock = handClock()
      const limiter = new RateLimiter(perSecond, clock)
      const starts = waits.map((wait) => {
        clock.pass(wait)
        return clock.elapsed() + limiter.take()
      })
      for (const [index, start] of starts.entries()) {
        expect(starts.slice(index).filter((other) => other < start + 1000).length).toBeLessThanOrEqual(
          perSecond,
        )
      }
    }),
  )
})
