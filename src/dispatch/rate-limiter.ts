import type { Clock } from '../contracts/clock.ts'

/** Spaces requests evenly, so that in no second there are more than `perSecond`. */
export class RateLimiter {
  /** The first moment that is not taken, on the clock that is never set back. */
  #nextAt = 0
  readonly #intervalMs: number

  constructor(
    perSecond: number,
    private readonly clock: Pick<Clock, 'elapsed'>,
  ) {
    this.#intervalMs = 1000 / perSecond
  }

  /** How long until a place is free, in ms; 0 when one is. */
  waitMs(): number {
    return Math.max(0, this.#nextAt - this.clock.elapsed())
  }

  /** Takes one place and says how long to wait for it, in ms; 0 to go at once. */
  take(): number {
    const now = this.clock.elapsed()
    const at = Math.max(this.#nextAt, now)
    this.#nextAt = at + this.#intervalMs
    return at - now
  }
}
