import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { RateLimiter } from '../../src/dispatch/rate-limiter.ts'
import { handClock } from '../support/hand-clock.ts'

test('lets the first go at once, and spaces the rest evenly', () => {
  const clock = handClock()
  clock.pass(1000)
  const limiter = new RateLimiter(10, clock)
  expect(Array.from({ length: 4 }, () => limiter.take())).toEqual([0, 95, 195, 295])
})

test('makes up for timers that ring a little late, so that the rate is reached', () => {
  const clock = handClock()
  clock.pass(1000)
  const limiter = new RateLimiter(500, clock)
  let taken = 0
  for (let ms = 0; ms < 3000; ms += 3) {
    clock.pass(3)
    while (limiter.waitMs() === 0) {
      limiter.take()
      taken += 1
    }
  }
  expect(taken).toBeGreaterThanOrEqual(1495)
})

test('saves nothing more up: after an hour without requests it is the same', () => {
  const clock = handClock()
  const limiter = new RateLimiter(2, clock)
  limiter.take()
  clock.pass(3_600_000)
  expect(Array.from({ length: 3 }, () => limiter.take())).toEqual([0, 495, 995])
})

test('never lets more go within a second than the rate and the credit for late timers say', () => {
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
        const within = starts.slice(index).filter((other) => other < start + 1000).length
        expect(within).toBeLessThanOrEqual(perSecond + 1)
      }
    }),
  )
})
