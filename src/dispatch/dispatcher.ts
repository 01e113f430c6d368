import type { Cancel, Clock } from '../contracts/clock.ts'
import type { Destination } from '../contracts/delivery.ts'
import { mendHeads } from '../store/heads.ts'
import type { Store } from '../store/open.ts'
import { returnExpiredLeases } from '../store/outbox.ts'
import type { Lane } from './lane.ts'

const RESCUE_EVERY_MS = 15_000
const DESTINATIONS = ['segment', 'refiner'] as const

/** All lanes, and the timer that frees what a lane has lost. */
export class Dispatcher {
  #cancelRescue: Cancel = () => {}
  #running = false
  /** By tenant and destination. */
  #lanes: ReadonlyMap<string, Lane>
  /** Lanes that have been replaced, until what they had under way is settled. */
  readonly #leaving = new Set<Lane>()

  constructor(
    lanes: readonly Lane[],
    private readonly store: Store,
    private readonly clock: Clock,
    private readonly onError: (error: unknown) => void,
  ) {
    this.#lanes = byWay(lanes)
  }

  get lanes(): readonly Lane[] {
    return [...this.#lanes.values()]
  }

  /** The lane that serves a destination of a tenant now; undefined where there is none. */
  lane(tenant: string, destination: Destination): Lane | undefined {
    return this.#lanes.get(wayOf({ tenant, destination }))
  }

  /**
   * Frees all leases: this process is the only one on the file, so whoever held them is gone. Looks at all that waits,
   * which may take a second: to be called before anything is to be answered.
   */
  recover(): void {
    this.#attempt(() => {
      returnExpiredLeases(this.store, { now: Number.MAX_SAFE_INTEGER })
      mendHeads(this.store)
      for (const lane of this.lanes) {
        lane.keepUp()
        lane.expediteFailed()
      }
    })
  }

  start(): void {
    if (this.#running) return
    this.#running = true
    for (const lane of this.lanes) lane.start()
    this.#rescueLater()
  }

  /**
   * Goes on with these lanes. New ones start at once; one that is not among them any more takes nothing new, and has
   * up to `graceMs` to end what it has under way.
   */
  replace(lanes: readonly Lane[], graceMs: number): void {
    const before = new Set(this.lanes)
    const after = new Set(lanes)
    this.#lanes = byWay(lanes)
    for (const lane of before) if (!after.has(lane)) this.#leave(lane, graceMs)
    if (!this.#running) return
    for (const lane of after) {
      if (before.has(lane)) continue
      this.#attempt(() => lane.expedite())
      lane.start()
    }
  }

  /** Waits up to `graceMs` for what is under way. */
  async stop(graceMs: number): Promise<void> {
    this.#running = false
    this.#cancelRescue()
    await Promise.all([...this.lanes, ...this.#leaving].map((lane) => lane.stop(graceMs)))
  }

  /** Says that there may be something to send for these tenants; for all, without a word. */
  wake(tenants?: ReadonlySet<string>): void {
    if (tenants === undefined) for (const lane of this.lanes) lane.wake()
    else for (const tenant of tenants) for (const to of DESTINATIONS) this.lane(tenant, to)?.wake()
  }

  #leave(lane: Lane, graceMs: number): void {
    this.#leaving.add(lane)
    const left = lane.stop(graceMs).finally(() => {
      this.#leaving.delete(lane)
      // What it gave back is for the lane that has taken its place.
      const next = this.lane(lane.tenant, lane.destination)
      if (next !== undefined) this.#attempt(() => next.expedite())
    })
    left.catch((error: unknown) => this.onError(error))
  }

  #rescueLater(): void {
    this.#cancelRescue = this.clock.after(RESCUE_EVERY_MS, () => {
      this.#attempt(() => {
        for (const lane of [...this.lanes, ...this.#leaving]) lane.keepUp()
        if (returnExpiredLeases(this.store, { now: this.clock.now() }) > 0) {
          mendHeads(this.store)
          this.wake()
        }
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

function byWay(lanes: readonly Lane[]): ReadonlyMap<string, Lane> {
  return new Map(lanes.map((lane) => [wayOf(lane), lane]))
}

function wayOf({ tenant, destination }: Pick<Lane, 'tenant' | 'destination'>): string {
  return `${destination} ${tenant}`
}
