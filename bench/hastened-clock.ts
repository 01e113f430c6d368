import type { Clock } from '../src/contracts/clock.ts'

/** The system's clock, which can be made to run faster: what is waited for comes sooner, in the same order. */
export interface HastenedClock extends Clock {
  /** From now on it runs so many times as fast as time does. */
  run(speed: number): void
}

interface Timer {
  /** On this clock. */
  readonly at: number
  readonly work: () => void
  handle: ReturnType<typeof setTimeout>
}

export function hastenedClock(): HastenedClock {
  let speed = 1
  let since = performance.now()
  let base = since
  const timers = new Set<Timer>()
  const elapsed = () => base + (performance.now() - since) * speed
  const arm = ({ at }: { readonly at: number }, ring: () => void) =>
    setTimeout(ring, Math.max(0, at - elapsed()) / speed)
  const ringing = (timer: Timer) => () => {
    timers.delete(timer)
    timer.work()
  }
  return {
    now: () => Math.floor(Date.now() + elapsed() - performance.now()),
    elapsed,
    after(ms, work) {
      const at = elapsed() + ms
      const timer: Timer = { at, work, handle: arm({ at }, () => ringing(timer)()) }
      timers.add(timer)
      return () => {
        timers.delete(timer)
        clearTimeout(timer.handle)
      }
    },
    run(next) {
      base = elapsed()
      since = performance.now()
      speed = next
      for (const timer of timers) {
        clearTimeout(timer.handle)
        timer.handle = arm(timer, ringing(timer))
      }
    },
  }
}
