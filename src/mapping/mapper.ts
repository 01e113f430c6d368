import { SQLiteError } from 'bun:sqlite'
import type { Cancel, Clock } from '../contracts/clock.ts'
import type { Tenant } from '../contracts/configuration.ts'
import { unmappedItems } from '../store/inbox.ts'
import type { Store } from '../store/open.ts'
import { type MappedItem, recordMapped } from '../store/record-mapped.ts'
import { mapItem, mappingFailed } from './map-item.ts'

/** Items mapped in one commit: enough to share its cost, few enough to let requests in between. */
const BATCH = 128
/** A wake-up that was missed is made up for by looking anyway. */
const LOOK_EVERY_MS = 2000

/** The loop that takes inbox items in order of arrival and puts what they become into the outbox. */
export class Mapper {
  #running = false
  #scheduled = false
  #cancelLook: Cancel = () => {}
  readonly #tenants: string

  constructor(
    private readonly store: Store,
    private readonly tenants: ReadonlyMap<string, Tenant>,
    private readonly clock: Clock,
    /** Called after each commit, with what was mapped. */
    private readonly onMapped: (mapped: readonly MappedItem[]) => void,
    private readonly onError: (error: unknown) => void,
  ) {
    this.#tenants = JSON.stringify([...tenants.keys()])
  }

  start(): void {
    if (this.#running) return
    this.#running = true
    this.wake()
  }

  /** What is committed is committed; the rest waits in the inbox for the next start. */
  stop(): void {
    this.#running = false
    this.#cancelLook()
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
    this.#cancelLook()
    try {
      if (this.#mapBatch() === BATCH) return this.wake()
    } catch (error) {
      this.onError(error)
    }
    this.#cancelLook = this.clock.after(LOOK_EVERY_MS, () => this.wake())
  }

  #mapBatch(): number {
    const items = unmappedItems(this.store, { tenants: this.#tenants, limit: BATCH })
    if (items.length === 0) return 0
    const mapped = items.map((item) => ({ item, ...mapItem(item, this.tenants.get(item.tenant)!) }))
    this.onMapped(this.#record(mapped))
    return items.length
  }

  #record(mapped: readonly MappedItem[]): readonly MappedItem[] {
    try {
      recordMapped(this.store, mapped, this.clock.now())
      return mapped
    } catch (error) {
      if (isEnvironmental(error)) throw error
      return mapped.map((one) => this.#recordAlone(one))
    }
  }

  /** An item that the tables refuse must not keep the others from being mapped. */
  #recordAlone(one: MappedItem): MappedItem {
    try {
      recordMapped(this.store, [one], this.clock.now())
      return one
    } catch (error) {
      if (isEnvironmental(error)) throw error
      this.onError(error)
      const failed = { item: one.item, ...mappingFailed(one.item, error) }
      recordMapped(this.store, [failed], this.clock.now())
      return failed
    }
  }
}

/** A fault of the disk or of the file, not of an item: worth trying again. */
function isEnvironmental(error: unknown): boolean {
  return error instanceof SQLiteError && !/^SQLITE_(CONSTRAINT|TOOBIG|MISMATCH|ERROR)/.test(error.code ?? '')
}
