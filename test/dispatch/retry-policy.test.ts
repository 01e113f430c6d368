import { describe, expect, test } from 'bun:test'
import { backoffMs, isExhausted, throttlePauseMs } from '../../src/dispatch/retry-policy.ts'

const settings = {
  timeoutMs: 10_000,
  minBackoffMs: 1000,
  maxBackoffMs: 3_600_000,
  giveUpAfterMs: 4 * 86_400_000,
}

describe('the wait after a failed attempt', () => {
  test('doubles, half of it by chance, up to the longest', () => {
    expect([1, 2, 3, 4].map((attempt) => backoffMs(settings, attempt, null, 0))).toEqual([
      500, 1000, 2000, 4000,
    ])
    expect([1, 2, 3, 4].map((attempt) => backoffMs(settings, attempt, null, 1))).toEqual([
      1000, 2000, 4000, 8000,
    ])
    expect(backoffMs(settings, 1000, null, 1)).toBe(3_600_000)
  })

  test('is never shorter than the destination asked for, and a wrong header does not stop it for days', () => {
    expect(backoffMs(settings, 1, 30_000, 0)).toBe(30_000)
    expect(backoffMs(settings, 1, 1e12, 0)).toBe(3_600_000)
    expect(backoffMs(settings, 1, -5, 0)).toBe(500)
  })
})

test('by default a delivery is tried for at least three days', () => {
  expect(isExhausted(settings, 0, 3 * 86_400_000)).toBe(false)
  expect(isExhausted(settings, 0, 4 * 86_400_000)).toBe(true)
})

describe('the pause of a lane that is told to slow down', () => {
  test('is what the destination asked for, and a little more by chance', () => {
    expect(throttlePauseMs(settings, 1, 5000, 0)).toBe(5000)
    expect(throttlePauseMs(settings, 1, 5000, 0.5)).toBe(5500)
  })

  test('grows when it asked for nothing', () => {
    expect(throttlePauseMs(settings, 1, null, 0)).toBeLessThan(throttlePauseMs(settings, 2, null, 0))
  })
})
