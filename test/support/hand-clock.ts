import type { Clock } from '../../src/contracts/clock.ts'

/** A clock that moves when it is told to, and then does what was to be done until then. */
export interface HandClock extends Clock {
  pass(ms: number): void
  /** Sets the time of day, as somebody who corrects the machine's clock does; nothing else notices. */
  shift(ms: number): void
}

export function handClock(start = 1_700_000_000_000): HandClock {
  let elapsed = 0
  let shifted = 0
  const timers = new Set<{ at: number; work: () => void }>()
  return {
    now: () => start + elapsed + shifted,
    elapsed: () => elapsed,
    after(ms, work) {
      const timer = { at: elapsed + ms, work }
      timers.add(timer)
      return () => timers.delete(timer)
    },
    shift(ms) {
      shifted += ms
    },
    pass(ms) {
      const end = elapsed + ms
      for (;;) {
        const [next] = [...timers].filter(({ at }) => at <= end).toSorted((a, b) => a.at - b.at)
        if (next === undefined) break
        timers.delete(next)
        elapsed = Math.max(elapsed, next.at)
        next.work()
      }
      elapsed = end
    },
  }
}
