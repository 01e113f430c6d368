/** So many failed sends in a row, nothing taken in between, are the destination's fault. */
const OPENS_AFTER = 5
/** The longest wait between two probes, in ms: a destination that is back is found within it. */
const LONGEST_PROBE_WAIT_MS = 30_000

/**
 * Whether a lane's destination is to be left alone because it is down. Closed: everything goes. Open: nothing goes until
 * the next probe is due. Half-open: one probe goes, and closes the circuit or makes the next one wait longer, up to half
 * a minute. What happens to be one delivery's fault opens nothing: there have to be two of them, or more, that fail.
 * Moments are ms on a clock that is never set back.
 */
export class CircuitBreaker {
  /** Failed sends since the last one that was taken. */
  #failures = 0
  /** The first deliveries of those sends; two are enough to know. */
  readonly #failed = new Set<number>()
  #isOpen = false
  #probes = 0
  /** When the present wait for a probe began: answers to what was sent before say nothing of the probe. */
  #waitsSince = 0
  #probeAt = 0

  /** `minBackoffMs` and `maxBackoffMs` bound the waits, besides the half minute. `random` is in [0, 1). */
  constructor(
    private bounds: { readonly minBackoffMs: number; readonly maxBackoffMs: number },
    private readonly random: () => number,
  ) {}

  /** Goes on with other bounds. */
  adopt(bounds: { readonly minBackoffMs: number; readonly maxBackoffMs: number }): void {
    this.bounds = bounds
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  /** Whether so much failed that somebody has to look again, though what failed waits for longer. */
  get isSuspect(): boolean {
    return this.#failures >= OPENS_AFTER
  }

  /** How long nothing may go, in ms; 0 when it is closed, or a probe may go. */
  waitMs(now: number): number {
    return this.#isOpen ? this.probeWaitMs(now) : 0
  }

  /** How long until the next look at a destination that is suspect, in ms. */
  probeWaitMs(now: number): number {
    return Math.max(0, this.#probeAt - now)
  }

  /** A send that was made at `sentAt`, and began with this delivery, failed in a way that may be the destination's. */
  failed(delivery: number, sentAt: number, now: number): void {
    if (this.#failures >= OPENS_AFTER && sentAt < this.#waitsSince) return
    this.#failures += 1
    if (this.#failed.size < 2) this.#failed.add(delivery)
    if (!this.isSuspect) return
    this.#isOpen ||= this.#failed.size > 1
    this.#waitForProbe(now)
  }

  /** The destination takes what is sent. Answers whether it was suspect before. */
  works(): boolean {
    const wasSuspect = this.isSuspect
    this.#failures = 0
    this.#failed.clear()
    this.#isOpen = false
    this.#probes = 0
    return wasSuspect
  }

  /** Whether what was sent at `sentAt` was sent under the present conditions. */
  isNews(sentAt: number): boolean {
    return !this.#isOpen || sentAt >= this.#waitsSince
  }

  #waitForProbe(now: number): void {
    const { minBackoffMs, maxBackoffMs } = this.bounds
    const most = Math.min(LONGEST_PROBE_WAIT_MS, maxBackoffMs)
    const wait = Math.min(minBackoffMs * 2 ** Math.min(this.#probes, 40), most)
    this.#probes += 1
    this.#waitsSince = now
    this.#probeAt = now + wait / 2 + (wait / 2) * this.random()
  }
}
