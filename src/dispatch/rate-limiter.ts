import type { Clock } from '../contracts/clock.ts'

/** Timers ring late; what they are late by, up to this, is not lost. In ms. */
const CREDIT_MS = 5

/** Spaces requests evenly: in no second are there more than `perSecond`, and what fits into the credit. */
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
    const at = Math.max(this.#nextAt, now - CREDIT_MS)
    this.#nextAt = at + this.#intervalMs
    return Math.max(0, at - now)
  }
}
