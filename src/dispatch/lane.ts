import { randomUUID } from 'node:crypto'
import type { Cancel, Clock } from '../contracts/clock.ts'
import type { DeliverySettings } from '../contracts/configuration.ts'
import type { Destination, Outcome, Reservation, Sender } from '../contracts/delivery.ts'
import type { LaneStatus } from '../contracts/health.ts'
import { bringForward, type DueDelivery, dueDeliveries, nextDueAt } from '../store/due.ts'
import { makeDue, makeFailedDue, makeNextDue } from '../store/expedite.ts'
import type { Store } from '../store/open.ts'
import { leaseHeads, renewLease } from '../store/outbox.ts'
import type { LaneConduct } from './lane-conduct.ts'
import { packBatch } from './pack-batch.ts'
import type { RateLimiter } from './rate-limiter.ts'
import { ReservedBatch } from './reservation.ts'
import { LONGEST_PAUSE_MS } from './retry-policy.ts'
import { type Settled, settle } from './settle.ts'

/** What is leased longer was lost and is tried again; what is under way has its lease renewed. */
const LEASE_MS = 60_000
/** How often to look for what became due without anybody saying so. */
const LOOK_EVERY_MS = 5000
/** How long to wait before outcomes that could not be written down are tried again. */
const SETTLE_AGAIN_MS = 500

export interface LaneParts {
  readonly store: Store
  readonly sender: Sender
  /** A batch is made up when there is a place for it, so that what comes while it waits goes along. */
  readonly rate: RateLimiter
  readonly settings: DeliverySettings
  /** What is known of the destination; shared with a lane that takes this one's place. */
  readonly conduct: LaneConduct
  readonly clock: Clock
  /** In [0, 1). */
  readonly random: () => number
  /** Told of what became of deliveries. */
  readonly onSettled: (lane: Lane, settled: readonly Settled[]) => void
  readonly onError: (error: unknown) => void
}

interface Batch {
  readonly lease: string
  /** How often the disk had failed when it was taken: see `Doubts`. */
  readonly doubts: number
  readonly deliveries: readonly DueDelivery[]
}

/** The way of one tenant's deliveries to one destination: what happens on it slows no other lane. */
export class Lane {
  #running = false
  readonly #conduct: LaneConduct
  readonly #underWay = new Map<Batch, Promise<void>>()
  readonly #stopping = new AbortController()
  readonly #aborting = new AbortController()
  #cancelLook: Cancel = () => {}

  constructor(
    readonly tenant: string,
    readonly destination: Destination,
    private readonly parts: LaneParts,
  ) {
    this.#conduct = parts.conduct
  }

  get status(): LaneStatus {
    return this.#conduct.status
  }

  start(): void {
    if (this.#running) return
    this.#running = true
    this.wake()
  }

  /** Takes nothing new and waits for what is under way; after `graceMs` that is broken off, to be sent again. */
  async stop(graceMs: number): Promise<void> {
    this.#running = false
    this.#stopping.abort()
    this.#cancelLook()
    const cancel = this.parts.clock.after(graceMs, () => this.#aborting.abort())
    await Promise.all(this.#underWay.values())
    cancel()
  }

  /** Says that there may be something to send. */
  wake(): void {
    if (!this.#running) return
    this.#cancelLook()
    try {
      for (let batch = this.#take(); batch !== null; batch = this.#take()) this.#begin(batch)
      this.#lookAgain(this.#nextWakeMs())
    } catch (error) {
      this.parts.onError(error)
      this.#lookAgain(LOOK_EVERY_MS)
    }
  }

  /**
   * A batch for what is about to be written down, when it could be sent at once; null otherwise, or when something else
   * is due before it.
   */
  reserve(): Reservation | null {
    const { store, sender, rate, clock } = this.parts
    const { limits } = sender
    const now = clock.now()
    if (!this.#running || limits.together !== 'all' || this.#isFull() || rate.waitMs() > 0) return null
    if ((nextDueAt(store, this) ?? Infinity) <= now) return null
    const { count: doubts } = store.guard.doubts
    const most = { ...limits, messages: this.#conduct.mostMessages(limits.messages) }
    return new ReservedBatch(now + LEASE_MS, most, ({ lease, deliveries }) => {
      rate.take()
      this.#begin({ lease, doubts, deliveries })
    })
  }

  /** Tries at once what waits for a moment that was set under other settings. */
  expedite(): void {
    const { store, clock } = this.parts
    makeDue(store, { tenant: this.tenant, destination: this.destination, now: clock.now() })
    this.wake()
  }

  /** Tries at once what failed before: how the destination fared then is not known any more. */
  expediteFailed(): void {
    const { store, clock } = this.parts
    makeFailedDue(store, { tenant: this.tenant, destination: this.destination, now: clock.now() })
    this.#conduct.caughtUp()
  }

  /** Keeps what is under way from being taken for lost, and what waits from waiting for a clock that was set back. */
  keepUp(): void {
    const { store, settings, clock } = this.parts
    const { tenant, destination } = this
    const now = clock.now()
    for (const { lease } of this.#underWay.keys()) renewLease(store, { lease, leasedUntil: now + LEASE_MS })
    const fresh = Math.ceil(now + this.#conduct.pauseLeftMs())
    const failed = now + Math.max(settings.maxBackoffMs, LONGEST_PAUSE_MS)
    bringForward(store, { tenant, destination, fresh, failed })
    if (this.#conduct.recovered) this.expediteFailed()
  }

  /** Takes the next batch; null when there is nothing due, no free slot, or no place in the rate. */
  #take(): Batch | null {
    const { store, sender, rate, clock } = this.parts
    const now = clock.now()
    if (this.#isFull() || rate.waitMs() > 0) return null
    if ((nextDueAt(store, this) ?? Infinity) > now && !this.#bringProbe(now)) return null
    rate.take()
    const lease = randomUUID()
    const deliveries = store.relaxedTransaction(() => {
      const messages = this.#conduct.mostMessages(sender.limits.messages)
      const batch = packBatch(dueDeliveries(store, this, now, messages), { ...sender.limits, messages })
      leaseHeads(store, { ids: JSON.stringify(headsOf(batch)), lease, leasedUntil: now + LEASE_MS })
      return batch
    })
    return { lease, doubts: store.guard.doubts.count, deliveries }
  }

  /** Makes the next delivery due when it is time to see whether the destination is back; whether there is one. */
  #bringProbe(now: number): boolean {
    if (this.#underWay.size > 0 || this.#conduct.probeWaitMs() !== 0) return false
    return makeNextDue(this.parts.store, { tenant: this.tenant, destination: this.destination, now }) > 0
  }

  #begin(batch: Batch): void {
    const work = this.#deliver(batch).finally(() => {
      this.#underWay.delete(batch)
      this.wake()
    })
    this.#underWay.set(batch, work)
  }

  #isFull(): boolean {
    return this.#underWay.size >= this.#conduct.mostUnderWay(this.parts.sender.limits.concurrency)
  }

  async #deliver(batch: Batch): Promise<void> {
    const { sender, clock, onSettled, onError } = this.parts
    const sentAt = clock.elapsed()
    try {
      const reported = await sender.send(batch.deliveries, {
        stopping: this.#stopping.signal,
        aborting: this.#aborting.signal,
      })
      const outcomes = this.#conduct.judge(batch.deliveries, reported, sentAt)
      onSettled(this, await this.#settle(batch, outcomes))
      if (this.#conduct.recovered) this.expediteFailed()
    } catch (error) {
      // The leases run out, and the deliveries are tried again.
      onError(error)
    }
  }

  /** Writes the outcomes down, however long the disk takes no writes: what was delivered must not go out again. */
  async #settle(batch: Batch, outcomes: readonly Outcome[]): Promise<Settled[]> {
    const { store, settings, clock, random, onError } = this.parts
    const { lease, doubts } = batch
    const deliveries = batch.deliveries.map((delivery) => this.#withTimeThatCounts(delivery))
    for (;;) {
      try {
        const notBefore = clock.now() + this.#conduct.pauseLeftMs()
        const isCertain = store.guard.doubts.count === doubts
        const sent = { lease, deliveries, outcomes, notBefore, isCertain }
        return settle(store, this, sent, settings, clock.now(), random)
      } catch (error) {
        if (this.#aborting.signal.aborted) throw error
        onError(error)
        await new Promise<void>((resolve) => clock.after(SETTLE_AGAIN_MS, resolve))
      }
    }
  }

  #withTimeThatCounts(delivery: DueDelivery): DueDelivery {
    const { firstAttemptAt } = delivery
    if (firstAttemptAt === null) return delivery
    return { ...delivery, firstAttemptAt: this.#conduct.countedFrom(firstAttemptAt) }
  }

  #nextWakeMs(): number {
    const { store, rate, clock } = this.parts
    const pause = Math.ceil(this.#conduct.pauseLeftMs())
    if (pause > 0) return pause
    // A send that ends wakes the lane.
    const due = this.#isFull() ? null : nextDueAt(store, this)
    if (due === null) return LOOK_EVERY_MS
    const probe = this.#underWay.size > 0 ? Infinity : (this.#conduct.probeWaitMs() ?? Infinity)
    const next = Math.min(due - clock.now(), Math.ceil(probe))
    return Math.max(Math.min(Math.max(next, 1), LOOK_EVERY_MS), rate.waitMs())
  }

  #lookAgain(ms: number): void {
    this.#cancelLook = this.parts.clock.after(ms, () => this.wake())
  }
}

/** The IDs of each user's first. */
function headsOf(batch: readonly DueDelivery[]): number[] {
  const heads = new Map<string, number>()
  for (const { userKey, id } of batch) if (!heads.has(userKey)) heads.set(userKey, id)
  return [...heads.values()]
}
