import type { Clock } from '../contracts/clock.ts'
import type { DeliverySettings } from '../contracts/configuration.ts'
import type { LeasedDelivery, Outcome } from '../contracts/delivery.ts'
import type { LaneStatus } from '../contracts/health.ts'
import { throttlePauseMs } from './retry-policy.ts'

/** How long a lane rests after its key was refused, before it tries again with one batch. */
const UNAUTHORIZED_PAUSE_MS = 30_000

/** What a lane makes of its outcomes as a whole: whether it pauses, and how it fares. */
export class LaneConduct {
  #status: LaneStatus = { state: 'ok', lastSuccessAt: null, lastError: null }
  /** On the clock that is never set back. */
  #pausedUntil = 0
  /** Pauses since the last delivery. */
  #pauses = 0
  /** Refused by their key since the last delivery: the key may be wrong, or they may be. */
  #refused = new Set<number>()
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

  /** Takes note of the outcomes, and answers them as they are to be settled. */
  judge(deliveries: readonly LeasedDelivery[], reported: readonly Outcome[]): Outcome[] {
    const outcomes = reported.map((outcome, index) => this.#ownFault(deliveries[index]!, outcome))
    for (const [index, outcome] of outcomes.entries()) {
      const { id } = deliveries[index]!
      switch (outcome.kind) {
        case 'delivered':
          this.#moves({ state: 'ok', lastSuccessAt: this.clock.now() })
          this.#faulty.delete(id)
          break
        case 'rejected':
          this.#moves({ state: 'ok' })
          this.#failed(outcome.reason)
          this.#faulty.delete(id)
          break
        case 'retry':
          this.#status = { ...this.#status, state: 'retrying' }
          this.#failed(outcome.reason)
          break
        case 'throttled':
          this.#pause('throttled', outcome.reason, outcome.retryAfterMs)
          break
        case 'unauthorized':
          this.#refused.add(id)
          this.#pause('unauthorized', outcome.reason, UNAUTHORIZED_PAUSE_MS)
          break
      }
    }
    return outcomes
  }

  /** A key that is good for others is not what is wrong with this delivery: it backs off alone. */
  #ownFault({ id }: LeasedDelivery, outcome: Outcome): Outcome {
    if (outcome.kind !== 'unauthorized' || !this.#faulty.has(id)) return outcome
    return { kind: 'retry', reason: `${outcome.reason}; others were taken meanwhile`, retryAfterMs: null }
  }

  #moves(status: Partial<LaneStatus>): void {
    this.#pauses = 0
    this.#status = { ...this.#status, ...status }
    for (const id of this.#refused) this.#faulty.add(id)
    this.#refused = new Set()
  }

  #failed(message: string): void {
    this.#status = { ...this.#status, lastError: { at: this.clock.now(), message } }
  }

  #pause(state: 'throttled' | 'unauthorized', reason: string, retryAfterMs: number | null): void {
    this.#status = { ...this.#status, state }
    this.#failed(reason)
    // What was under way together is refused together: that is one pause.
    if (this.pauseLeftMs() > 0) return
    this.#pauses += 1
    const ms = throttlePauseMs(this.settings, this.#pauses, retryAfterMs, this.random())
    this.#pausedUntil = this.clock.elapsed() + ms
  }
}
