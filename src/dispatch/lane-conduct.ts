import type { Clock } from '../contracts/clock.ts'
import type { DeliverySettings } from '../contracts/configuration.ts'
import type { LeasedDelivery, Outcome } from '../contracts/delivery.ts'
import type { LaneStatus } from '../contracts/health.ts'
import { CircuitBreaker } from './circuit-breaker.ts'
import { Outages } from './outages.ts'
import { throttlePauseMs } from './retry-policy.ts'

/** How long a lane rests after its key was refused, before it tries again with one batch. */
const UNAUTHORIZED_PAUSE_MS = 30_000

/** So many refusals with nothing taken in between are the key's fault, whatever was known of single deliveries. */
const KEY_IS_WRONG_AFTER = 3

/**
 * So many messages go in one send at first, and twice as many after each that is delivered: to write down that a large
 * batch failed holds everything up for longer than it is worth, where the destination is down anyway.
 */
const FIRST_MESSAGES = 100

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
  readonly #breaker: CircuitBreaker
  readonly #outages = new Outages()
  #recovered = false
  #mostMessages = FIRST_MESSAGES

  constructor(
    private settings: DeliverySettings,
    private readonly clock: Clock,
    private readonly random: () => number,
  ) {
    this.#breaker = new CircuitBreaker(settings, random)
  }

  /** Goes on under other settings: what the destination asked for, and how it fares, is the same. */
  adopt(settings: DeliverySettings): void {
    this.settings = settings
    this.#breaker.adopt(settings)
  }

  get status(): LaneStatus {
    if (!this.#breaker.isOpen) return this.#status
    return { ...this.#status, state: this.pauseLeftMs() > 0 ? 'open' : 'half_open' }
  }

  /** How long nothing may go, in ms. */
  pauseLeftMs(): number {
    return Math.max(this.#askedPauseMs(), this.#breaker.waitMs(this.clock.elapsed()))
  }

  /** After a pause one batch goes ahead to see whether the way is open again. */
  mostUnderWay(concurrency: number): number {
    if (this.pauseLeftMs() > 0) return 0
    return this.#pauses > 0 || this.#breaker.isOpen ? 1 : concurrency
  }

  /** How many messages may go in one send: a probe burns one attempt of one delivery. */
  mostMessages(messages: number): number {
    return this.#breaker.isOpen ? 1 : Math.min(messages, this.#mostMessages)
  }

  /** How long until something has to be tried though nothing is due yet, in ms; null when nothing has to. */
  probeWaitMs(): number | null {
    if (!this.#breaker.isSuspect) return null
    return Math.max(this.#askedPauseMs(), this.#breaker.probeWaitMs(this.clock.elapsed()))
  }

  /** Whether the destination is back, and what waits because it was away is to be tried now. */
  get recovered(): boolean {
    return this.#recovered
  }

  /** What waited has been made due. */
  caughtUp(): void {
    this.#recovered = false
  }

  /** From when the time of a delivery counts until it is given up. Both in ms since 1970. */
  countedFrom(firstAttemptAt: number): number {
    return this.#outages.countedFrom(firstAttemptAt)
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
    this.#adaptBatches(outcomes)
    this.#watchForOutage(deliveries, outcomes, sentAt)
    if (outcomes.some(({ kind }) => kind === 'unauthorized')) {
      this.#refusals += 1
      if (this.#refusals >= KEY_IS_WRONG_AFTER) this.#faulty.clear()
    }
    return outcomes
  }

  /**
   * A send of which nothing was taken, and nothing refused, counts as one failure. An answer that asks for fewer
   * requests, or for another key, comes from a destination that is there: the pause for it takes over.
   */
  #watchForOutage(deliveries: readonly LeasedDelivery[], outcomes: readonly Outcome[], sentAt: number): void {
    const first = deliveries[0]
    if (first === undefined) return
    if (outcomes.every((outcome) => mayBeDown(outcome))) {
      this.#breaker.failed(first.id, sentAt, this.clock.elapsed())
      if (this.#breaker.isOpen) this.#outages.begin(this.clock.now())
      return
    }
    if (outcomes.some((outcome) => isAnswer(outcome)) && this.#breaker.isNews(sentAt)) {
      this.#recovered = this.#breaker.works() || this.#recovered
      this.#outages.end(this.clock.now())
    }
  }

  #askedPauseMs(): number {
    return Math.max(0, this.#pausedUntil - this.clock.elapsed())
  }

  #adaptBatches(outcomes: readonly Outcome[]): void {
    if (outcomes.some(({ kind }) => kind === 'retry')) this.#mostMessages = FIRST_MESSAGES
    // Up to what no destination takes at once.
    else this.#mostMessages = Math.min(this.#mostMessages * 2, 1_000_000)
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
    if (this.#askedPauseMs() === 0) this.#pauses += 1
    this.#lastPauseAt = now
    const ms = throttlePauseMs(this.settings, this.#pauses, retryAfterMs, this.random())
    this.#pausedUntil = Math.max(this.#pausedUntil, now + ms)
  }
}

/** Whether the destination said what it makes of the deliveries. */
function isAnswer(outcome: Outcome): boolean {
  switch (outcome.kind) {
    case 'delivered':
    case 'rejected':
    case 'unauthorized':
      return true
    case 'throttled':
      return outcome.status !== null
    case 'retry':
      return false
  }
}

/** Statuses with which a destination that is there speaks of one delivery. */
const OF_ONE_DELIVERY = new Set<number | null>([401, 403, 409, 425])

function mayBeDown(outcome: Outcome): boolean {
  return outcome.kind === 'retry' && !OF_ONE_DELIVERY.has(outcome.status)
}
