import { expect, test } from 'bun:test'
import fc from 'fast-check'
import type { BackfillFilter } from '../../src/contracts/backfill.ts'
import { afterPage, DAY_MS, endOf, firstCursor, isAtEnd, narrowed } from '../../src/backfill/windows.ts'

const PAGE = 10
const BEGIN = Date.UTC(2023, 0, 1)
const DAYS = 400

/** Reads all of a history as a backfill does; answers the moments in the order in which they were read, and how often it asked. */
function readAll(moments: readonly number[], filter: BackfillFilter, saysTotal: boolean) {
  const read: number[] = []
  let requests = 0
  for (let cursor = firstCursor(filter); !isAtEnd(cursor, filter);) {
    requests += 1
    // As Refiner lists them: the newest first.
    const within = moments.filter((at) => at >= cursor.from && at < endOf(cursor, filter)).toReversed()
    const from = Number(cursor.page ?? 0)
    const items = within.slice(from, from + PAGE)
    const next = from + PAGE < within.length ? String(from + PAGE) : null
    const page = { items, nextCursor: next, total: saysTotal ? within.length : null }
    const fewer = narrowed(cursor, page, PAGE)
    if (fewer === null) {
      read.push(...items.toSorted((a, b) => a - b))
      cursor = afterPage(cursor, page, filter, PAGE)
    } else cursor = fewer
  }
  return { read, requests }
}

const histories = fc
  .array(fc.nat(DAYS * DAY_MS), { maxLength: 300 })
  .map((offsets) => offsets.map((offset) => BEGIN + offset).toSorted((a, b) => a - b))

test('everything between the two moments is read, and nothing else', () => {
  const bounds = fc.tuple(fc.nat(DAYS * DAY_MS), fc.nat(DAYS * DAY_MS))
  fc.assert(
    fc.property(histories, bounds, fc.boolean(), (moments, [one, other], saysTotal) => {
      const [since, until] = [BEGIN + Math.min(one, other), BEGIN + Math.max(one, other) + 1]
      const filter = { since, until, surveys: [], contacts: false, rate: null }
      const { read } = readAll(moments, filter, saysTotal)
      expect(read.toSorted((a, b) => a - b)).toEqual(moments.filter((at) => at >= since && at < until))
    }),
  )
})

test('where no day has more than a page, all are read in the order in which they happened', () => {
  const filter = { since: BEGIN, until: BEGIN + DAYS * DAY_MS, surveys: [], contacts: false, rate: null }
  fc.assert(
    fc.property(histories, fc.boolean(), (moments, saysTotal) => {
      const perDay = new Map<number, number>()
      const few = moments.filter((at) => {
        const day = Math.floor(at / DAY_MS)
        perDay.set(day, (perDay.get(day) ?? 0) + 1)
        return perDay.get(day)! <= PAGE && at < filter.until
      })
      expect(readAll(few, filter, saysTotal).read).toEqual(few)
    }),
  )
})

test('long times in which nothing happened take few requests', () => {
  const until = BEGIN + 3650 * DAY_MS
  const filter = { since: BEGIN, until, surveys: [], contacts: false, rate: null }
  expect(readAll([BEGIN, until - DAY_MS], filter, true).requests).toBeLessThan(50)
})
