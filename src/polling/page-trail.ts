import type { JsonObject } from '../contracts/json.ts'

/** So many pages with nothing on them are followed, one after the other. */
const MOST_EMPTY = 20

/** A page, as far as it says where it leads. */
export interface LeadingPage {
  readonly items: readonly JsonObject[]
  readonly nextCursor: string | null
  readonly total: number | null
}

/**
 * Where a page leads. `on`: to the next one. `end`: it was the last. `again`: it was the last, but there was less and less
 * to read, so that something may have moved to a page that was read before. `circle`: to a page that was read before,
 * though there is more.
 */
export type Lead = 'on' | 'end' | 'again' | 'circle'

/** The pages of one list in the order in which they were read: Refiner could give the same ones for ever. */
export class PageTrail {
  readonly #cursors = new Set<string>()
  readonly #pages = new Set<number | bigint>()
  #empty = 0
  #read = 0
  #total: number | null = null
  #hasShrunk = false

  /** Where a page leads that was asked for by `cursor`; null for the first. */
  after({ items, nextCursor, total }: LeadingPage, cursor: string | null): Lead {
    if (cursor !== null) this.#cursors.add(cursor)
    const names = JSON.stringify(items.map((item) => item['uuid'] ?? item))
    const isSame = items.length > 0 && this.#isKnown(names)
    if (!isSame) this.#read += items.length
    this.#empty = items.length === 0 ? this.#empty + 1 : 0
    if (total !== null && this.#total !== null && total < this.#total) this.#hasShrunk = true
    this.#total = total
    const end = this.#hasShrunk ? 'again' : 'end'
    if (nextCursor === null) return end
    if (!this.#cursors.has(nextCursor) && !isSame && this.#empty <= MOST_EMPTY) return 'on'
    // Some lists name a page for ever; only where something is missing is that a fault.
    return total !== null && this.#read < total ? 'circle' : end
  }

  /** Whether a page with just these on it was read before. */
  #isKnown(names: string): boolean {
    const hash = Bun.hash(names)
    const isKnown = this.#pages.has(hash)
    this.#pages.add(hash)
    return isKnown
  }
}
