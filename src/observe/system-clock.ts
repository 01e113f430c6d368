import type { Clock } from '../contracts/clock.ts'

/** A timer that is set to more rings at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

export const systemClock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  after(ms, work) {
    let timer = setTimeout(ring, Math.min(ms, LONGEST_TIMER_MS))
    let left = ms - LONGEST_TIMER_MS
    function ring(): void {
      if (left <= 0) return work()
      timer = setTimeout(ring, Math.min(left, LONGEST_TIMER_MS))
      left -= LONGEST_TIMER_MS
    }
    return () => clearTimeout(timer)
  },
}
