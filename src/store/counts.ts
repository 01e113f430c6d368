import type { Clock } from '../contracts/clock.ts'
import type { Destination } from '../contracts/delivery.ts'
import { unmappedByTenant } from './inbox.ts'
import type { Store } from './open.ts'
import { type LaneCounts, laneCounts } from './outbox.ts'

/** Counting may take this part of the time, so that a long backlog that is looked at often slows nobody down. */
const PART_OF_TIME = 0.02

type Unmapped = ReadonlyMap<string, { readonly open: number; readonly oldestOpen: number }>

/** How much waits. A count is used again for fifty times as long as it took: with little to count, it is always new. */
export class Counts {
  readonly #kept = new Map<string, { readonly value: unknown; readonly until: number }>()

  constructor(
    private readonly store: Store,
    private readonly clock: Pick<Clock, 'elapsed'>,
  ) {}

  lane(tenant: string, destination: Destination): LaneCounts {
    return this.#recent(`${destination} ${tenant}`, () => laneCounts(this.store, { tenant, destination })[0]!)
  }

  /** What waits for the mapping, by tenant. */
  unmapped(): Unmapped {
    return this.#recent('', () => new Map(unmappedByTenant(this.store, {}).map((one) => [one.tenant, one])))
  }

  /** All that waits for a tenant: items for the mapping, and deliveries. */
  pending(tenant: string): number {
    const deliveries = this.lane(tenant, 'segment').open + this.lane(tenant, 'refiner').open
    return deliveries + (this.unmapped().get(tenant)?.open ?? 0)
  }

  #recent<T>(key: string, count: () => T): T {
    const start = this.clock.elapsed()
    const kept = this.#kept.get(key)
    if (kept !== undefined && kept.until > start) return kept.value as T
    const value = count()
    const end = this.clock.elapsed()
    // What took no time to speak of is not worth keeping.
    const until = end - start < 1 ? end : end + (end - start) / PART_OF_TIME
    this.#kept.set(key, { value, until })
    return value
  }
}
