import type { Cancel, Clock } from '../contracts/clock.ts'
import type { Counts } from '../store/counts.ts'
import type { Group } from '../store/inbox.ts'

const LOOK_EVERY_MS = 1000
/** What was turned away is taken again when so much of the bound waits. */
const OPEN_AGAIN_AT = 0.9

export interface BacklogParts {
  readonly counts: Counts
  readonly clock: Clock
  readonly tenants: () => Iterable<string>
  /** How much may wait for each tenant, each way. */
  readonly most: () => number
  /** Told again and again of what is not to be taken any more. */
  readonly turnAway: (full: readonly Group[]) => void
  readonly onError: (error: unknown) => void
}

const SOURCES = ['refiner_webhook', 'segment'] as const

/**
 * Watches how much waits, so that a destination that is gone for long does not fill the disk for all. What goes the other
 * way, to a destination that is there, is taken as before.
 */
export class Backlog {
  #full: readonly Group[] = []
  #cancel: Cancel = () => {}
  #running = false

  constructor(private readonly parts: BacklogParts) {}

  /** What is not taken any more. */
  get full(): readonly Group[] {
    return this.#full
  }

  start(): void {
    if (this.#running) return
    this.#running = true
    this.#lookLater()
  }

  stop(): void {
    this.#running = false
    this.#cancel()
  }

  #lookLater(): void {
    this.#cancel = this.parts.clock.after(LOOK_EVERY_MS, () => {
      this.look()
      if (this.#running) this.#lookLater()
    })
  }

  /** Looks now. */
  look(): void {
    const { counts, tenants, most, turnAway, onError } = this.parts
    try {
      const isFull = ({ tenant, source }: Group) => {
        const was = this.#full.some((one) => one.tenant === tenant && one.source === source)
        return counts.pending(tenant, source) >= most() * (was ? OPEN_AGAIN_AT : 1)
      }
      this.#full = [...tenants()]
        .flatMap((tenant) => SOURCES.map((source) => ({ tenant, source })))
        .filter(isFull)
      turnAway(this.#full)
    } catch (error) {
      onError(error)
    }
  }
}
