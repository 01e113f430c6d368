import type { Clock } from '../contracts/clock.ts'
import type { Destination } from '../contracts/delivery.ts'

/** What happened to a delivery. Nothing of what anybody said. */
export interface TapEvent {
  readonly tenant: string
  readonly destination: Destination
  readonly call: string
  /** `queued` when it was made, to be sent. */
  readonly state: TapState
  /** Null for what has just been mapped. */
  readonly delivery: number | null
  /** The ID of the item that was mapped; null for what is sent. */
  readonly input: number | null
  readonly reason: string | null
}

export const TAP_STATES = ['queued', 'delivered', 'retrying', 'dead', 'skipped', 'replayed'] as const
export type TapState = (typeof TAP_STATES)[number]

export type NumberedEvent = TapEvent & { readonly seq: number; readonly at: string }

/** Which events are meant; null where all are. */
export interface TapFilter {
  readonly tenant: string | null
  readonly destination: Destination | null
  readonly state: TapState | null
}

export interface TapAnswer {
  readonly events: readonly NumberedEvent[]
  /** To be given as `after` next time. */
  readonly next: number
  /** How many events, of all kinds, were gone before they could be read. */
  readonly missed: number
  /** The daemon is ending: there will be no more. */
  readonly stopping: boolean
}

/** So many events are held for those who read along; whoever is slower loses the oldest. */
const MOST_EVENTS = 5000
const MOST_IN_ANSWER = 500
const MOST_READERS = 16
/** Without a reader for so long, nothing is held. */
const HELD_FOR_MS = 30_000
/** Who follows asks again within this time. */
const ASKS_AGAIN_MS = 500
/** What happens shortly after each other goes out together. */
const TOGETHER_MS = 25

/** Lets the operator see deliveries as they happen. Costs next to nothing while nobody looks. */
export class Tap {
  #events: NumberedEvent[] = []
  /** The number of the last event; numbers of another run of the daemon are lower. */
  #seq: number
  #lastReadAt = -Infinity
  #closed = false
  /** Who has been answered and has not asked again; some of them have gone. */
  #between = 0
  #onTold = () => {}
  #telling = false
  readonly #readers = new Set<() => void>()

  constructor(private readonly clock: Clock) {
    this.#seq = clock.now() * 1000
  }

  /** Takes note of what happened; `events` is only called when somebody reads along. */
  publish(count: number, events: () => Iterable<TapEvent>): void {
    if (count === 0) return
    if (this.#readers.size === 0 && this.clock.elapsed() - this.#lastReadAt > HELD_FOR_MS) {
      this.#events = []
      this.#seq += count
      return
    }
    const at = new Date(this.clock.now()).toISOString()
    for (const event of events()) this.#events.push({ seq: (this.#seq += 1), at, ...event })
    // Twice as many at the most, so that they are moved seldom.
    if (this.#events.length > 2 * MOST_EVENTS) this.#events = this.#events.slice(-MOST_EVENTS)
    this.#tellSoon()
  }

  /**
   * The events after that number, or those from now on; waits up to `waitMs` for one that fits. Null when too many are
   * reading already.
   */
  async read(after: number | null, filter: TapFilter, waitMs: number): Promise<TapAnswer | null> {
    this.#lastReadAt = this.clock.elapsed()
    if (after !== null) this.#between = Math.max(0, this.#between - 1)
    let from = after ?? this.#seq
    let missed = 0
    const deadline = this.clock.elapsed() + waitMs
    for (;;) {
      const found = this.#after(from, filter)
      from = found.next
      missed += found.missed
      const left = deadline - this.clock.elapsed()
      if (found.events.length > 0 || missed > 0 || after === null || left <= 0 || this.#closed) {
        if (this.#closed) this.#told()
        else this.#between += 1
        return { ...found, missed, stopping: this.#closed }
      }
      if (this.#readers.size >= MOST_READERS) return null
      await this.#next(left)
      this.#lastReadAt = this.clock.elapsed()
    }
  }

  /** Answers all who wait. Resolves when those have been told too who were just about to ask again. */
  async close(): Promise<void> {
    this.#closed = true
    for (const wake of this.#readers) wake()
    if (this.#between === 0 || this.clock.elapsed() - this.#lastReadAt > ASKS_AGAIN_MS) return
    await new Promise<void>((resolve) => {
      this.#onTold = resolve
      this.clock.after(ASKS_AGAIN_MS, resolve)
    })
  }

  #told(): void {
    if (this.#between === 0) this.#onTold()
  }

  #after(after: number, filter: TapFilter): Omit<TapAnswer, 'stopping'> {
    const first = this.#seq - this.#events.length + 1
    // Of another run of the daemon, or of nobody: there is nothing to go on from.
    const from = after > this.#seq ? this.#seq : after
    const missed = Math.max(0, first - 1 - from)
    const events: NumberedEvent[] = []
    let next = Math.max(from, first - 1)
    for (let index = next - first + 1; index < this.#events.length; index += 1) {
      const event = this.#events[index]!
      if (isMeant(event, filter)) events.push(event)
      next = event.seq
      if (events.length === MOST_IN_ANSWER) break
    }
    return { events, next, missed }
  }

  #next(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        cancel()
        this.#readers.delete(wake)
        resolve()
      }
      const cancel = this.clock.after(ms, wake)
      this.#readers.add(wake)
    })
  }

  #tellSoon(): void {
    if (this.#telling || this.#readers.size === 0) return
    this.#telling = true
    this.clock.after(TOGETHER_MS, () => {
      this.#telling = false
      for (const wake of this.#readers) wake()
    })
  }
}

function isMeant({ tenant, destination, state }: TapEvent, filter: TapFilter): boolean {
  return (
    (filter.tenant === null || filter.tenant === tenant) &&
    (filter.destination === null || filter.destination === destination) &&
    (filter.state === null || filter.state === state)
  )
}
