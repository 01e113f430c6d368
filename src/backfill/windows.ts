import type { BackfillCursor, BackfillFilter } from '../contracts/backfill.ts'

/**
 * Refiner does not say in which order it lists responses. So they are asked for by days, the oldest first, as few at a
 * time as fit on a page, and put into their order there: what a user said last also arrives last. Whole days, since it is
 * not known whether the hours of a moment count.
 */

export const DAY_MS = 86_400_000
/** Where next to nothing happened, more days are asked for at once. */
const MOST_DAYS = 128
/** What a place in time can be: Refiner is younger than this. */
export const EARLIEST = Date.UTC(2015, 0, 1)

/** Where a backfill begins. */
export function firstCursor({ since, until, contacts }: BackfillFilter): BackfillCursor {
  const from = since === null ? until : Math.max(since, EARLIEST)
  return { phase: contacts ? 'contacts' : 'responses', from, days: 1, page: null, place: 0 }
}

/** The end of the days that are being read. */
export function endOf({ from, days }: BackfillCursor, { until }: BackfillFilter): number {
  // Behind the first, which may begin in the middle of it, all are whole days.
  const midnight = Math.floor(from / DAY_MS) * DAY_MS
  return Math.min(midnight + days * DAY_MS, until)
}

/** Whether there is nothing left to be read. */
export function isAtEnd({ phase, from }: BackfillCursor, { since, until }: BackfillFilter): boolean {
  return phase === 'responses' && (since === null || from >= until)
}

/** What a page says of how much there is. */
interface PageSize {
  readonly items: readonly unknown[]
  readonly nextCursor: string | null
  readonly total: number | null
}

/** Fewer days, when these hold more than a page, which then is in no order; null when it is as good as it gets. */
export function narrowed(cursor: BackfillCursor, page: PageSize, pageLength: number): BackfillCursor | null {
  if (cursor.days === 1 || cursor.page !== null || page.nextCursor === null) return null
  const share = page.total === null ? 1 / cursor.days : pageLength / page.total
  return { ...cursor, days: Math.max(1, Math.floor(cursor.days * Math.min(share, 0.5))), place: 0 }
}

/** The first page of what is being read. */
export function firstPage(cursor: BackfillCursor): BackfillCursor {
  return { ...cursor, page: null, place: 0, before: 0 }
}

/** Where it goes on behind a page that has been taken. */
export function afterPage(
  cursor: BackfillCursor,
  page: PageSize,
  filter: BackfillFilter,
  pageLength: number,
): BackfillCursor {
  if (page.nextCursor !== null) {
    return { ...cursor, page: page.nextCursor, place: 0, before: (cursor.before ?? 0) + page.items.length }
  }
  const next = { page: null, place: 0, before: 0 }
  if (cursor.phase === 'contacts') return { ...cursor, ...next, phase: 'responses' }
  const isSparse = cursor.page === null && page.items.length * 3 < pageLength
  const days = isSparse ? Math.min(cursor.days * 2, MOST_DAYS) : cursor.days
  return { ...cursor, ...next, from: endOf(cursor, filter), days }
}
