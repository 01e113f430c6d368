/** As many outages are remembered; the oldest is forgotten first. */
const MOST_OUTAGES = 1000

/**
 * The times in which a destination was down, as far as they are over. They do not count against what was tried before
 * or in them: otherwise one more failure after a long outage would make everything dead that it held up. Kept in memory:
 * after a restart of the program, earlier ones count. Moments are ms since 1970.
 */
export class Outages {
  #since: number | null = null
  readonly #over: { readonly from: number; readonly to: number }[] = []

  begin(now: number): void {
    this.#since ??= now
  }

  end(now: number): void {
    if (this.#since !== null && now > this.#since) this.#over.push({ from: this.#since, to: now })
    if (this.#over.length > MOST_OUTAGES) this.#over.shift()
    this.#since = null
  }

  /** From when the time of a delivery first attempted at `firstAttemptAt` counts: later by what it spent in outages. */
  countedFrom(firstAttemptAt: number): number {
    let excused = 0
    for (const { from, to } of this.#over) excused += Math.max(0, to - Math.max(from, firstAttemptAt))
    return firstAttemptAt + excused
  }
}
