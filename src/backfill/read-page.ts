import type { BackfillCursor, BackfillFilter } from '../contracts/backfill.ts'
import type { InteractionKind } from '../contracts/configuration.ts'
import type { JsonObject } from '../contracts/json.ts'
import type { ReadFailure, RefinerReader } from '../contracts/refiner-reader.ts'
import { momentOf, oldestFirst } from '../intake/response-order.ts'
import { endOf } from './windows.ts'

/** Refiner gives up to 1000; so many are read without holding up what else the thread has to do. */
export const PAGE_LENGTH = 400

/** A page, its items the oldest first. */
export interface ReadPage {
  readonly items: readonly JsonObject[]
  readonly nextCursor: string | null
  /** How many there are in the days that were asked for. */
  readonly total: number | null
  /** How many there are in all; null when that was not asked for, or Refiner does not say. */
  readonly whole: number | null
}

export interface PageWish {
  readonly cursor: BackfillCursor
  readonly filter: BackfillFilter
  /** Whether to ask as well how many there are in all. */
  readonly asksTotal: boolean
  readonly kinds: ReadonlySet<InteractionKind>
}

/** Reads the page at a cursor. */
export async function readPage(
  reader: RefinerReader,
  { cursor, filter, asksTotal, kinds }: PageWish,
  signal: AbortSignal,
): Promise<({ readonly ok: true } & ReadPage) | ReadFailure> {
  if (cursor.phase === 'contacts') {
    const page = await reader.contacts({ cursor: cursor.page, pageLength: PAGE_LENGTH }, signal)
    return page.ok ? { ...page, whole: null } : page
  }
  const shared = {
    include: kinds.size > 1 ? ('all' as const) : ('completed' as const),
    formUuids: uuidsOnly(filter.surveys),
    withAttributes: true,
  }
  let whole: number | null = null
  if (asksTotal) {
    const range = { since: filter.since, until: filter.until }
    const first = await reader.responses({ ...shared, ...range, cursor: null, pageLength: 1 }, signal)
    if (!first.ok) return first
    whole = first.total
  }
  const range = { since: cursor.from, until: endOf(cursor, filter) }
  const query = { ...shared, ...range, cursor: cursor.page, pageLength: PAGE_LENGTH }
  const page = await reader.responses(query, signal)
  return page.ok ? { ...page, items: inOrder(page.items), whole } : page
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** Refiner filters by uuid; where a survey is given by name, all are read. */
function uuidsOnly(surveys: readonly string[]): readonly string[] {
  return surveys.every((survey) => UUID.test(survey)) ? surveys : []
}

function inOrder(items: readonly JsonObject[]): JsonObject[] {
  return oldestFirst(items.map((item) => ({ item, at: momentOf(item) }))).map(({ item }) => item)
}
