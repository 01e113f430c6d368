import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { RateLimiter } from '../../src/dispatch/rate-limiter.ts'

/** A clock that moves when it is told to. */
function handClock() {
  let now = 0
  return {
    now: () => now,
    after: () => () => {},
    pass: (ms: number) => {
      now += ms
    },
  }
}

test('lets a burst of one second go at once, and spaces the rest evenly', () => {
  const limiter = new RateLimiter(10, handClock())
  const waits = Array.from({ length: 13 }, () => Math.round(limiter.take()))
  expect(waits).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 100, 200, 300])
})

test('is full again after a second without requests, and no fuller', () => {
  const clock = handClock()
  const limiter = new RateLimiter(2, clock)
  for (let n = 0; n < 4; n++) limiter.take()
  clock.pass(60_000)
  expect(Array.from({ length: 4 }, () => Math.round(limiter.take()))).toEqual([0, 0, 500, 1000])
})

test('never lets more go in any window than a burst and the rate allow', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 100 }),
      fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 1, maxLength: 80 }),
      (perSecond, pauses) => {
        const clock = handClock()
        const limiter = new RateLimiter(perSecond, clock)
        const starts = pauses.map((pause) => {
          clock.pass(pause)
          return clock.now() + limiter.take()
        })
        for (const [index, start] of starts.entries()) {
          const within = starts.slice(index).filter((other) => other < start + 1000).length
          expect(within).toBeLessThanOrEqual(2 * perSecond + 1)
        }
      },
    ),
  )
})
