import { describe, expect, test } from 'bun:test'
import { CircuitBreaker } from '../../src/dispatch/circuit-breaker.ts'

const bounds = { minBackoffMs: 1000, maxBackoffMs: 3_600_000 }

function setUp() {
  const breaker = new CircuitBreaker(bounds, () => 1)
  /** Failures of sends that end as soon as they began. */
  const fail = (times: number, now: number, ids = [1, 2]) => {
    for (let n = 0; n < times; n++) breaker.failed(ids[n % ids.length]!, now, now)
  }
  return { breaker, fail }
}

describe('a circuit', () => {
  test('opens after five failures in a row, and only those', () => {
    const { breaker, fail } = setUp()
    fail(4, 0)
    breaker.works()
    fail(4, 0)
    expect(breaker.isOpen).toBe(false)
    fail(1, 0)
    expect(breaker.isOpen).toBe(true)
    expect(breaker.waitMs(0)).toBe(1000)
  })

  test('lets a probe go when the wait is over, and closes with the first that is taken', () => {
    const { breaker, fail } = setUp()
    fail(5, 0)
    expect(breaker.waitMs(999)).toBe(1)
    expect(breaker.waitMs(1000)).toBe(0)
    expect(breaker.works()).toBe(true)
    expect([breaker.isOpen, breaker.waitMs(1000)]).toEqual([false, 0])
    expect(breaker.works()).toBe(false)
  })

  test('finds a destination that is back within half a minute, however long it was away', () => {
    const { breaker, fail } = setUp()
    fail(5, 0)
    const waits: number[] = []
    for (let now = 0, probe = 0; probe < 200; probe++) {
      waits.push(breaker.waitMs(now))
      now += breaker.waitMs(now)
      fail(1, now)
    }
    expect(waits.slice(0, 7)).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000])
    expect(Math.max(...waits)).toBe(30_000)
  })

  test('is not moved by answers to what was sent before it opened', () => {
    const { breaker, fail } = setUp()
    fail(5, 100)
    breaker.failed(3, 50, 200)
    expect(breaker.waitMs(200)).toBe(900)
    expect(breaker.isNews(50)).toBe(false)
    expect(breaker.isNews(1100)).toBe(true)
  })

  test('does not open for one delivery that keeps failing, but has it looked at again soon', () => {
    const { breaker, fail } = setUp()
    fail(20, 0, [7])
    expect([breaker.isOpen, breaker.waitMs(0)]).toEqual([false, 0])
    expect(breaker.isSuspect).toBe(true)
    expect(breaker.probeWaitMs(0)).toBe(30_000)
  })
})
