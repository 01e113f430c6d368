import type { Cancel, Clock } from '../contracts/clock.ts'
import type { Store } from '../store/open.ts'
import { mendHeads, returnExpiredLeases } from '../store/outbox.ts'
import type { Lane } from './lane.ts'

const RESCUE_EVERY_MS = 15_000

/** All lanes, and the timer that frees what a lane has lost. */
export class Dispatcher {
  #cancelRescue: Cancel = () => {}
  #running = false

  constructor(
    readonly lanes: readonly Lane[],
    private readonly store: Store,
    private readonly clock: Clock,
    private readonly onError: (error: unknown) => void,
  ) {}

  /** Frees all leases: this process is the only one on the file, so whoever held them is gone. */
  start(): void {
    if (this.#running) return
    this.#running = true
    this.#attempt(() => {
      returnExpiredLeases(this.store, { now: Number.MAX_SAFE_INTEGER })
      mendHeads(this.store, {})
      for (const lane of this.lanes) lane.keepUp()
    })
    for (const lane of this.lanes) lane.start()
    this.#rescueLater()
  }

  /** Waits up to `graceMs` for what is under way. */
  async stop(graceMs: number): Promise<void> {
    this.#running = false
    this.#cancelRescue()
    await Promise.all(this.lanes.map((lane) => lane.stop(graceMs)))
  }

  /** Says that there may be something to send for these tenants; for all, without a word. */
  wake(tenants?: ReadonlySet<string>): void {
    for (const lane of this.lanes) if (tenants?.has(lane.tenant) ?? true) lane.wake()
  }

  #rescueLater(): void {
    this.#cancelRescue = this.clock.after(RESCUE_EVERY_MS, () => {
      this.#attempt(() => {
        for (const lane of this.lanes) lane.keepUp()
        if (returnExpiredLeases(this.store, { now: this.clock.now() }) > 0) this.wake()
      })
      if (this.#running) this.#rescueLater()
    })
  }

  /** What a full or locked disk prevents now is made up for by the timer. */
  #attempt(work: () => void): void {
    try {
      work()
    } catch (error) {
      this.onError(error)
    }
  }
}
