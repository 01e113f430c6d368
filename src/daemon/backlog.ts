import type { Cancel, Clock } from '../contracts/clock.ts'
import type { Counts } from '../store/counts.ts'

const LOOK_EVERY_MS = 1000
/** What was turned away is taken again when so much of the bound waits. */
const OPEN_AGAIN_AT = 0.9

export interface BacklogParts {
  readonly counts: Counts
  readonly clock: Clock
  readonly tenants: () => Iterable<string>
  /** How much may wait for each tenant. */
  readonly most: () => number
  /** Told again and again of the tenants for which nothing more is to be taken. */
  readonly turnAway: (tenants: readonly string[]) => void
  readonly onError: (error: unknown) => void
}

/** Watches how much waits, so that a destination that is gone for long does not fill the disk for all. */
export class Backlog {
  #full: readonly string[] = []
  #cancel: Cancel = () => {}
  #running = false

  constructor(private readonly parts: BacklogParts) {}

  /** The tenants for which nothing more is taken. */
  get full(): readonly string[] {
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
      const isFull = (tenant: string) =>
        counts.pending(tenant) >= most() * (this.#full.includes(tenant) ? OPEN_AGAIN_AT : 1)
      this.#full = [...tenants()].filter(isFull)
      turnAway(this.#full)
    } catch (error) {
      onError(error)
    }
  }
}
