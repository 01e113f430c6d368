import { SQLiteError } from 'bun:sqlite'
import type { Cancel, Clock } from '../contracts/clock.ts'
import type { Reserve } from '../contracts/delivery.ts'
import type { PluginHost } from '../contracts/plugin-host.ts'
import { isItemOfForgotten } from '../store/forgotten-items.ts'
import { FilesUnsafe } from '../store/file-guard.ts'
import { type Group, type InboxRow, unmappedItems, waitingGroups } from '../store/inbox.ts'
import type { Store } from '../store/open.ts'
import { type MappedItem, recordMapped } from '../store/record-mapped.ts'
import { type Mapped, mappingFailed } from './map-item.ts'
import { mapItems } from './map-items.ts'
import type { TenantMapping } from './tenant-mapping.ts'

/** Items mapped in one commit: enough to share its cost, few enough to let requests in between. */
const BATCH = 128
/** The same while requests flood in, which wait for it to end. */
const FLOOD_BATCH = 64
/** How long mapping gives way to requests, however many come. What they bring is safe, and may wait; but not for ever. */
const LONGEST_YIELD_MS = 100
const YIELD_MS = 2
/** Items that go to plugins together: what is slow with some of them holds up no more than these. */
const PLUGIN_BATCH = 32
/** Payloads read for one group at once, in characters: they are held until its plugins have answered. */
const MOST_CHARACTERS = 8 * 1024 * 1024
/** A wake-up that was missed is made up for by looking anyway. */
const LOOK_EVERY_MS = 2000

/** By what items are mapped; all of it changes at once. */
export interface Mappings {
  readonly tenants: ReadonlyMap<string, TenantMapping>
  readonly plugins: PluginHost
}

export interface MapperParts {
  readonly store: Store
  readonly clock: Clock
  /** Called after each commit, with what was mapped. */
  readonly onMapped: (mapped: readonly MappedItem[]) => void
  readonly onError: (error: unknown) => void
  readonly reserve: Reserve
  /** Whether requests flood in. */
  readonly isFlooded: () => boolean
}

/**
 * The loop that takes inbox items and puts what they become into the outbox: of each tenant and source in order of
 * arrival, among them by turns. A group that waits for plugins is passed over until its batch is recorded.
 */
export class Mapper {
  #running = false
  #scheduled = false
  #cancelLook: Cancel = () => {}
  /** The groups that wait for plugins. Replaced with the mappings, so that what answers later is known to be late. */
  #busy = new Set<string>()
  #last: Group | null = null
  /** On the clock that is never set back. */
  #mappedAt = -Infinity

  constructor(
    private readonly parts: MapperParts,
    private mappings: Mappings,
  ) {}

  start(): void {
    if (this.#running) return
    this.#running = true
    this.wake()
  }

  /** What is committed is committed; the rest waits in the inbox for the next start. */
  stop(): void {
    this.#running = false
    this.#busy = new Set()
    this.#cancelLook()
  }

  /** From now on items are mapped by these; what is at the plugins of the old ones is mapped anew. */
  swap(mappings: Mappings): void {
    this.mappings = mappings
    this.#busy = new Set()
    this.wake()
  }

  /** Says that there may be new items. */
  wake(): void {
    if (!this.#running || this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => this.#turn())
  }

  #turn(): void {
    this.#scheduled = false
    if (!this.#running) return
    const isFlooded = this.parts.isFlooded()
    if (isFlooded && this.#givesWay()) return this.#lookLater(YIELD_MS)
    try {
      if (this.#mapSome(isFlooded ? FLOOD_BATCH : BATCH)) return this.wake()
    } catch (error) {
      this.parts.onError(error)
    }
    this.#lookLater()
  }

  /** Whether requests come first this time. */
  #givesWay(): boolean {
    const now = this.parts.clock.elapsed()
    if (now - this.#mappedAt < LONGEST_YIELD_MS) return true
    this.#mappedAt = now
    return false
  }

  #lookLater(ms = LOOK_EVERY_MS): void {
    this.#cancelLook()
    this.#cancelLook = this.parts.clock.after(ms, () => this.wake())
  }

  /** Takes up to a batch of items; answers whether there may be more to take. */
  #mapSome(batch: number): boolean {
    const mapped: MappedItem[] = []
    let left = batch
    for (const group of waitingGroups(this.parts.store, this.#last)) {
      const mapping = this.mappings.tenants.get(group.tenant)
      if (mapping === undefined || this.#busy.has(keyOf(group))) continue
      const most = Math.min(left, callsPlugins(group, mapping) ? PLUGIN_BATCH : batch)
      const items = unmappedItems(this.parts.store, group, most, MOST_CHARACTERS)
      this.#last = group
      left -= items.length
      const { kept, forgotten } = this.#withoutForgotten(items)
      mapped.push(...forgotten)
      const results = mapItems(kept, mapping, this.mappings.plugins)
      if (results instanceof Promise) {
        void this.#whenAnswered(group, kept, results)
      } else {
        mapped.push(...together(kept, results))
      }
      if (left <= 0) break
    }
    if (mapped.length > 0) this.parts.onMapped(this.#record(mapped))
    return mapped.length > 0 || left <= 0
  }

  /** What is of somebody who was forgotten is not mapped, and not kept. */
  #withoutForgotten(items: readonly InboxRow[]): { kept: readonly InboxRow[]; forgotten: MappedItem[] } {
    const { store } = this.parts
    const isOf = items.map((item) => isItemOfForgotten(store, item))
    if (!isOf.includes(true)) return { kept: items, forgotten: [] }
    const kept = items.filter((_, index) => !isOf[index])
    const forgotten = items
      .filter((_, index) => isOf[index])
      .map((item) => ({ item, deliveries: [], people: [], isForgotten: true }))
    return { kept, forgotten }
  }

  async #whenAnswered(
    group: Group,
    items: readonly InboxRow[],
    results: Promise<readonly Mapped[]>,
  ): Promise<void> {
    const busy = this.#busy
    const { doubts } = this.parts.store.guard
    const doubtsBefore = doubts.count
    const key = keyOf(group)
    busy.add(key)
    try {
      const mapped = await results
      if (busy !== this.#busy) return
      // After a fault of the disk an ID may be that of another item: they are read again.
      if (doubts.count === doubtsBefore) this.parts.onMapped(this.#record(together(items, mapped)))
      busy.delete(key)
      this.wake()
    } catch (error) {
      this.parts.onError(error)
      busy.delete(key)
      // Anybody else who wakes it is welcome; by itself it does not try again at once.
      if (this.#running) this.#lookLater()
    }
  }

  #record(mapped: readonly MappedItem[]): readonly MappedItem[] {
    try {
      recordMapped(this.parts.store, mapped, this.parts.clock.now(), this.parts.reserve)
      return mapped
    } catch (error) {
      if (isEnvironmental(error)) throw error
      return mapped.map((one) => this.#recordAlone(one))
    }
  }

  /** An item that the tables refuse must not keep the others from being mapped. */
  #recordAlone(one: MappedItem): MappedItem {
    const { store, clock, onError } = this.parts
    try {
      recordMapped(store, [one], clock.now())
      return one
    } catch (error) {
      if (isEnvironmental(error)) throw error
      onError(error)
      const failed = { item: one.item, ...mappingFailed(one.item, error) }
      recordMapped(store, [failed], clock.now())
      return failed
    }
  }
}

function callsPlugins({ source }: Group, { tenant }: TenantMapping): boolean {
  return source === 'refiner_webhook' && tenant.toSegment.plugins.length > 0
}

function together(items: readonly InboxRow[], mapped: readonly Mapped[]): MappedItem[] {
  return items.map((item, index) => ({ item, ...mapped[index]! }))
}

function keyOf({ tenant, source }: Group): string {
  return `${source} ${tenant}`
}

/** A fault of the disk or of the file, not of an item: worth trying again. */
function isEnvironmental(error: unknown): boolean {
  if (error instanceof FilesUnsafe) return true
  return error instanceof SQLiteError && !/^SQLITE_(CONSTRAINT|TOOBIG|MISMATCH|ERROR)/.test(error.code ?? '')
}
