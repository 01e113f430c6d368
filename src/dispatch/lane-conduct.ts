import type { Clock } from '../contracts/clock.ts'
import type { DeliverySettings } from '../contracts/configuration.ts'
import type { LeasedDelivery, Outcome } from '../contracts/delivery.ts'
import type { LaneStatus } from '../contracts/health.ts'
import { throttlePauseMs } from './retry-policy.ts'

/** How long a lane rests after its key was refused, before it tries again with one batch. */
const UNAUTHORIZED_PAUSE_MS = 30_000

/** So many refusals with nothing taken in between are the key's fault, whatever was known of single deliveries. */
const KEY_IS_WRONG_AFTER = 3

/** What a lane makes of its outcomes as a whole: whether it pauses, and how it fares. */
export class LaneConduct {
  #status: LaneStatus = { state: 'ok', lastSuccessAt: null, lastError: null }
  /** On the clock that is never set back. */
  #pausedUntil = 0
  /** Pauses since the last delivery. */
  #pauses = 0
  #lastPauseAt = 0
  /** Refused by their key since the last delivery: the key may be wrong, or they may be. */
  readonly #refused = new Set<number>()
  /** Sends that were refused by their key since the last delivery. */
  #refusals = 0
  /** Refused while others were taken: the fault is theirs. */
  readonly #faulty = new Set<number>()

  constructor(
    private readonly settings: DeliverySettings,
    private readonly clock: Clock,
    private readonly random: () => number,
  ) {}

  get status(): LaneStatus {
    return this.#status
  }

  pauseLeftMs(): number {
    return Math.max(0, this.#pausedUntil - this.clock.elapsed())
  }

  /** After a pause one batch goes ahead to see whether the way is open again. */
  mostUnderWay(concurrency: number): number {
    if (this.pauseLeftMs() > 0) return 0
    return this.#pauses > 0 ? 1 : concurrency
  }

  /**
   * Takes note of the outcomes of what was sent at `sentAt`, on the clock that is never set back; answers them as they
   * are to be settled.
   */
  judge(deliveries: readonly LeasedDelivery[], reported: readonly Outcome[], sentAt: number): Outcome[] {
    const outcomes = reported.map((outcome, index) => this.#ownFault(deliveries[index]!, outcome))
    for (const [index, outcome] of outcomes.entries()) {
      const { id } = deliveries[index]!
      switch (outcome.kind) {
        case 'delivered':
          this.#faulty.delete(id)
          this.#status = { ...this.#status, lastSuccessAt: this.clock.now() }
          this.#moves(sentAt)
          break
        case 'rejected':
          this.#faulty.delete(id)
          this.#failed(outcome.reason)
          this.#moves(sentAt)
          break
        case 'retry':
          this.#status = { ...this.#status, state: 'retrying' }
          this.#failed(outcome.reason)
          // A destination that names a moment speaks for all that goes to it.
          if (outcome.retryAfterMs !== null) this.#pause(outcome.retryAfterMs)
          break
        case 'throttled':
          this.#status = { ...this.#status, state: 'throttled' }
          this.#failed(outcome.reason)
          this.#pause(outcome.retryAfterMs)
          break
        case 'unauthorized':
          this.#status = { ...this.#status, state: 'unauthorized' }
          this.#failed(outcome.reason)
          this.#refused.add(id)
          this.#pause(UNAUTHORIZED_PAUSE_MS)
          break
      }
    }
    if (outcomes.some(({ kind }) => kind === 'unauthorized')) {
      this.#refusals += 1
      if (this.#refusals >= KEY_IS_WRONG_AFTER) this.#faulty.clear()
    }
    return outcomes
  }

  /** A key that is good for others is not what is wrong with this delivery: it backs off alone. */
  #ownFault({ id }: LeasedDelivery, outcome: Outcome): Outcome {
    if (outcome.kind !== 'unauthorized' || !this.#faulty.has(id)) return outcome
    const { status, answer } = outcome
    const reason = `${outcome.reason}; others were taken meanwhile`
    return { kind: 'retry', reason, retryAfterMs: null, status, answer }
  }

  /** The destination takes what is sent. An answer to what was sent before a pause says nothing of what came after. */
  #moves(sentAt: number): void {
    if (sentAt < this.#lastPauseAt) return
    this.#pauses = 0
    this.#status = { ...this.#status, state: 'ok' }
    for (const id of this.#refused) this.#faulty.add(id)
    this.#refused.clear()
    this.#refusals = 0
  }

  #failed(message: string): void {
    this.#status = { ...this.#status, lastError: { at: this.clock.now(), message } }
  }

  #pause(retryAfterMs: number | null): void {
    const now = this.clock.elapsed()
    // What was under way together is refused together: that is one pause, as long as the longest that was asked for.
    if (this.pauseLeftMs() === 0) this.#pauses += 1
    this.#lastPauseAt = now
    const ms = throttlePauseMs(this.settings, this.#pauses, retryAfterMs, this.random())
    this.#pausedUntil = Math.max(this.#pausedUntil, now + ms)
  }
}
