import { randomUUID } from 'node:crypto'
import type { Cancel, Clock } from '../contracts/clock.ts'
import type { DeliverySettings } from '../contracts/configuration.ts'
import type { Destination, LeasedDelivery, Outcome, Sender } from '../contracts/delivery.ts'
import type { LaneStatus } from '../contracts/health.ts'
import type { Store } from '../store/open.ts'
import { dueDeliveries, hasDue, leaseDelivery, renewLease } from '../store/outbox.ts'
import { packBatches } from './pack-batches.ts'
import { throttlePauseMs } from './retry-policy.ts'
import { type Settled, settle } from './settle.ts'

/** What is leased longer was lost and is tried again; what is under way has its lease renewed. */
const LEASE_MS = 60_000
/** How often to look for what became due without anybody saying so. */
const LOOK_EVERY_MS = 1000
/** How long to wait before outcomes that could not be written down are tried again. */
const SETTLE_AGAIN_MS = 500
/** How long a lane rests after its key was refused, before it tries again with one batch. */
const UNAUTHORIZED_PAUSE_MS = 30_000

export interface LaneParts {
  readonly store: Store
  readonly sender: Sender
  readonly settings: DeliverySettings
  readonly clock: Clock
  /** In [0, 1). */
  readonly random: () => number
  /** Told of what became of deliveries. */
  readonly onSettled: (lane: Lane, settled: readonly Settled[]) => void
  readonly onError: (error: unknown) => void
}

interface Batch {
  readonly lease: string
  readonly deliveries: readonly LeasedDelivery[]
}

/** The way of one tenant's deliveries to one destination: what happens on it slows no other lane. */
export class Lane {
  #status: LaneStatus = { state: 'ok', lastSuccessAt: null, lastError: null }
  #running = false
  readonly #underWay = new Map<Batch, Promise<void>>()
  readonly #aborting = new AbortController()
  #pausedUntil = 0
  /** Pauses since the last delivery. */
  #pauses = 0
  /** When the next delivery that failed is due again, as far as is known here. */
  #nextRetryAt = Infinity
  #cancelLook: Cancel = () => {}

  constructor(
    readonly tenant: string,
    readonly destination: Destination,
    private readonly parts: LaneParts,
  ) {}

  get status(): LaneStatus {
    return this.#status
  }

  start(): void {
    if (this.#running) return
    this.#running = true
    this.wake()
  }

  /** Takes nothing new and waits for what is under way; after `graceMs` that is broken off, to be sent again. */
  async stop(graceMs: number): Promise<void> {
    this.#running = false
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
      for (const batch of this.#take()) {
        const work = this.#deliver(batch).finally(() => {
          this.#underWay.delete(batch)
          this.wake()
        })
        this.#underWay.set(batch, work)
      }
    } catch (error) {
      this.parts.onError(error)
    }
    this.#lookLater()
  }

  /** Keeps what is under way, however long it takes, from being taken for lost. */
  renewLeases(): void {
    const leasedUntil = this.parts.clock.now() + LEASE_MS
    for (const { lease } of this.#underWay.keys()) renewLease(this.parts.store, { lease, leasedUntil })
  }

  #take(): Batch[] {
    const { store, sender, clock } = this.parts
    const now = clock.now()
    const slots = this.#freeSlots(now)
    if (slots === 0) return []
    const { tenant, destination } = this
    if (!hasDue(store, { tenant, destination, now })) return []
    return store.transaction(() => {
      const batches = packBatches(dueDeliveries(store, { tenant, destination, now }), sender.limits, slots)
      return batches.map((deliveries) => {
        const lease = randomUUID()
        for (const { id } of deliveries) leaseDelivery(store, { id, lease, leasedUntil: now + LEASE_MS })
        return { lease, deliveries }
      })
    })
  }

  #freeSlots(now: number): number {
    if (now < this.#pausedUntil) return 0
    // After a pause one batch goes ahead to see whether the way is open again.
    const most = this.#pauses > 0 ? 1 : this.parts.sender.limits.concurrency
    return Math.max(0, most - this.#underWay.size)
  }

  async #deliver(batch: Batch): Promise<void> {
    const { sender, clock, onSettled, onError } = this.parts
    try {
      const outcomes = await sender.send(batch.deliveries, this.#aborting.signal)
      this.#judge(outcomes, clock.now())
      const settled = await this.#settle(batch, outcomes)
      for (const { notBefore } of settled)
        this.#nextRetryAt = Math.min(this.#nextRetryAt, notBefore ?? Infinity)
      onSettled(this, settled)
    } catch (error) {
      // The leases run out, and the deliveries are tried again.
      onError(error)
    }
  }

  /** Writes the outcomes down, however long the disk takes no writes: what was delivered must not go out again. */
  async #settle({ lease, deliveries }: Batch, outcomes: readonly Outcome[]): Promise<Settled[]> {
    const { store, settings, clock, random, onError } = this.parts
    for (;;) {
      try {
        return settle(store, lease, deliveries, outcomes, settings, clock.now(), random)
      } catch (error) {
        if (this.#aborting.signal.aborted) throw error
        onError(error)
        await new Promise<void>((resolve) => clock.after(SETTLE_AGAIN_MS, resolve))
      }
    }
  }

  /** What the outcomes say of the lane as a whole. */
  #judge(outcomes: readonly Outcome[], now: number): void {
    for (const outcome of outcomes) {
      switch (outcome.kind) {
        case 'delivered':
          this.#pauses = 0
          this.#status = { ...this.#status, state: 'ok', lastSuccessAt: now }
          break
        case 'rejected':
          this.#pauses = 0
          this.#status = { ...this.#status, state: 'ok', lastError: { at: now, message: outcome.reason } }
          break
        case 'retry':
          this.#failed('retrying', outcome.reason, now)
          break
        case 'throttled':
          this.#pause('throttled', outcome, now)
          return
        case 'unauthorized':
          this.#pause('unauthorized', { ...outcome, retryAfterMs: UNAUTHORIZED_PAUSE_MS }, now)
          return
      }
    }
  }

  #failed(state: LaneStatus['state'], message: string, now: number): void {
    this.#status = { ...this.#status, state, lastError: { at: now, message } }
  }

  #pause(
    state: 'throttled' | 'unauthorized',
    { reason, retryAfterMs }: { reason: string; retryAfterMs: number | null },
    now: number,
  ): void {
    this.#failed(state, reason, now)
    // Batches that were under way together are refused together: that is one pause.
    if (now < this.#pausedUntil && retryAfterMs === null) return
    this.#pauses += 1
    const { settings, random } = this.parts
    this.#pausedUntil = now + throttlePauseMs(settings, this.#pauses, retryAfterMs, random())
  }

  #lookLater(): void {
    const now = this.parts.clock.now()
    if (this.#nextRetryAt <= now) this.#nextRetryAt = Infinity
    const next = Math.max(Math.min(this.#nextRetryAt, now + LOOK_EVERY_MS), this.#pausedUntil)
    this.#cancelLook = this.parts.clock.after(Math.max(next - now, 1), () => this.wake())
  }
}
