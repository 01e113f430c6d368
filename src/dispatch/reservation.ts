import { randomUUID } from 'node:crypto'
import type { BatchLimits, FreshDelivery, Reservation } from '../contracts/delivery.ts'
import type { DueDelivery } from '../store/due.ts'

/** A batch of a lane that is made up while its deliveries are written down, so that nobody has to read them again. */
export class ReservedBatch implements Reservation {
  readonly lease = randomUUID()
  readonly deliveries: DueDelivery[] = []
  #bytes = 0
  #isFull = false

  constructor(
    readonly leasedUntil: number,
    private readonly limits: Pick<BatchLimits, 'messages' | 'bytes'>,
    private readonly onReady: (batch: ReservedBatch) => void,
  ) {}

  hasPlace({ payload }: FreshDelivery): boolean {
    // Once one has to stay behind all do: what follows it must not overtake it.
    this.#isFull ||=
      this.deliveries.length >= this.limits.messages ||
      this.#bytes + Buffer.byteLength(payload) + 1 > this.limits.bytes
    return !this.#isFull
  }

  add(id: number, delivery: FreshDelivery): void {
    const { call, userKey, messageId, payload } = delivery
    this.#bytes += Buffer.byteLength(payload) + 1
    this.deliveries.push({ id, call, userKey, messageId, payload, attempts: 0, firstAttemptAt: null })
  }

  go(): void {
    if (this.deliveries.length > 0) this.onReady(this)
  }
}
