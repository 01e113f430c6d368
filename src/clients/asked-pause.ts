import type { Clock } from '../contracts/clock.ts'

/** Longer than that nobody waits, whatever is asked for. */
const LONGEST_MS = 3_600_000

/** How long an account asked to be left alone: kept to by all that read from it. */
export class AskedPause {
  /** On the clock that is never set back. */
  #until = -Infinity

  constructor(private readonly clock: Pick<Clock, 'elapsed'>) {}

  ask(ms: number): void {
    this.#until = Math.max(this.#until, this.clock.elapsed() + Math.min(ms, LONGEST_MS))
  }

  /** In ms; 0 when it may be asked again. */
  get leftMs(): number {
    return Math.max(0, this.#until - this.clock.elapsed())
  }
}
