import type { Clock } from '../contracts/clock.ts'

/** Spaces requests evenly, `perSecond` of them, after a burst of at most one second's worth. */
export class RateLimiter {
  /** When the bucket is full again, in ms since 1970. */
  #fullAt = 0
  readonly #intervalMs: number
  readonly #burstMs: number

  constructor(
    perSecond: number,
    private readonly clock: Clock,
  ) {
    this.#intervalMs = 1000 / perSecond
    this.#burstMs = Math.max(1000, this.#intervalMs)
  }

  /** Takes one place and says how long to wait for it, in ms; 0 to go at once. */
  take(): number {
    const now = this.clock.now()
    this.#fullAt = Math.max(this.#fullAt, now) + this.#intervalMs
    return Math.max(0, this.#fullAt - now - this.#burstMs)
  }
}
