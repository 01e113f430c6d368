import type { BackfillCounts, BackfillCursor, BackfillRecord } from '../contracts/backfill.ts'
import type { Clock } from '../contracts/clock.ts'
import type { ReadFailure, RefinerReader } from '../contracts/refiner-reader.ts'
import type { Log } from '../observe/log.ts'
import { PageTrail } from '../polling/page-trail.ts'
import {
  findBackfill,
  hasUnmapped,
  moveBackfill,
  newestItem,
  outcomeOf,
  saveBackfill,
  unmappedAmong,
  waitingToSegment,
} from '../store/backfills.ts'
import { isBusy, type Store } from '../store/open.ts'
import { PAGE_LENGTH, type ReadPage, readPage } from './read-page.ts'
import type { BackfillSource } from './source.ts'
import { type Taken, Taker } from './take-item.ts'
import { afterPage, firstPage, isAtEnd, narrowed } from './windows.ts'

/**
 * How much is taken in one commit, and mapped in one go: what arrives meanwhile waits for it, and its messages have those
 * of it before them. Between two commits there is a pause of so long, and of so many times as long as the commit took.
 */
interface Pace {
  readonly most: number
  readonly pauseMs: number
  readonly pauseShare: number
}
/** While something else comes in. */
const BESIDE_OTHERS: Pace = { most: 5, pauseMs: 40, pauseShare: 5 }
const ALONE: Pace = { most: 50, pauseMs: 5, pauseShare: 1 }
/** How long others are expected to go on when something of theirs came in. */
const OTHERS_LAST_MS = 5000
/**
 * While so many messages of the tenant wait to be sent to Segment, nothing older is put in front of what comes: they go
 * along in one request.
 */
const MOST_WAITING = 150
/** How long it looks away while it is held up: at first, and in the end. */
const HELD_MS = 10
const LONGEST_HELD_MS = 250
const TOLD_FROM_MS = 100
/** How long it waits for a Refiner that does not answer, likewise; and for a key, or for a tenant to be switched on. */
const AWAY_MS = 1000
const LONGEST_AWAY_MS = 60_000
const CLOSED_MS = 30_000
/** So often days are read again that got fewer responses while they were read: somebody is being deleted there. */
const MOST_AGAIN = 2
const IN_A_CIRCLE = 'it names a page that it gave before, though there is more to be read'
/** No longer than that, whatever Refiner asks for. */
const LONGEST_ASKED_MS = 3_600_000

export interface JobParts {
  readonly store: Store
  readonly clock: Clock
  readonly log: Log
  readonly source: BackfillSource
  /** Whether requests flood in: then nothing else is done. */
  readonly isFlooded: () => boolean
  readonly wakeMapper: () => void
  /** Called once it is done or has failed. */
  readonly onEnd: (id: number) => void
  readonly onError: (error: unknown) => void
}

/** A page as far as it has been taken. */
interface OpenPage extends ReadPage {
  /** The next one to be taken. */
  next: number
  /** Those before it were counted when they were read for the first time. */
  readonly countedFrom: number
  /** Whether its days are to be read again once it has been taken. */
  readonly leadsAgain: boolean
}

/**
 * A backfill that runs. It is a guest: each time it puts in a little, and only while nothing newer waits. How far it has
 * come is committed with what it took, so that it goes on from there after anything.
 */
export class BackfillJob {
  #record: BackfillRecord
  #page: OpenPage | null = null
  #heldMs = HELD_MS
  #awayMs = AWAY_MS
  /** On the clock that is never set back; kept to where there is a rate. */
  #nextAt = -Infinity
  #waitingFor: string | null = null
  /** Whether Refiner was asked how many there are: it need not say. */
  #askedTotal = false
  /** How often the disk had failed by then: see `Doubts`. */
  #doubts: number
  /** The newest item of the inbox after the last commit, and when others were seen to have put in something. */
  #newest: number | null = null
  #othersAt = -Infinity
  /** The days that were begun again, since Refiner did not take the place in them, or led in a circle. */
  #begunAgain: string | null = null
  /** The pages of the days that are being read. */
  #trail = new PageTrail()
  /** How often these days were read to their end and had got fewer responses meanwhile. */
  #again = { days: '', times: 0 }
  /** How many of these days were counted before they were begun again. */
  #counted = { days: '', responses: 0 }
  /** Who read last: with other settings, or switched off, its tenant may have another account, or none. */
  #readBy: RefinerReader | null = null
  #done: Promise<void> | null = null
  readonly #stopping = new AbortController()
  readonly #taker: Taker

  constructor(
    record: BackfillRecord,
    private readonly parts: JobParts,
  ) {
    this.#record = record
    this.#doubts = parts.store.guard.doubts.count
    this.#taker = new Taker(record, parts.store, parts.source)
    // What a page holds may have moved meanwhile to one before it. Contacts are many, and come by webhooks, too.
    if (record.cursor.phase === 'responses' && record.cursor.page !== null) this.#beginDays()
  }

  /** How far it has come. */
  get record(): BackfillRecord {
    return this.#record
  }

  /** What it waits for, in words; null while it goes on. */
  get waitingFor(): string | null {
    return this.#waitingFor
  }

  start(): void {
    this.#done ??= this.#run()
  }

  /** Takes nothing more; what was taken is committed. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#done
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping
    while (!signal.aborted) {
      const pause = await this.#attempt()
      if (pause === null) return
      await this.#rest(pause)
    }
  }

  /** Does one step; answers how long to wait for the next one, or null when there is none. */
  async #attempt(): Promise<number | null> {
    const { onError } = this.parts
    try {
      return await this.#step()
    } catch (error) {
      if (this.#stopping.signal.aborted) return null
      // Somebody holds the file's lock: that passes.
      if (!isBusy(error)) onError(error)
      this.#waitingFor = 'the database'
      return AWAY_MS
    }
  }

  async #step(): Promise<number | null> {
    const { clock } = this.parts
    this.#readAfterFault()
    const { uncounted } = this.#record
    if (uncounted !== null && !this.#countUp(uncounted)) return this.#held('the mapping of what it took')
    const early = this.#nextAt - clock.elapsed()
    if (early > 0) return early
    const inTheWay = this.#inTheWay()
    if (inTheWay !== null) return this.#held(inTheWay)
    if (isAtEnd(this.#record.cursor, this.#record.filter)) return this.#end('done', null)
    this.#dropOthersPage()
    if (this.#page === null) {
      const pause = await this.#read()
      if (pause !== 0) return pause
      // Much may have come meanwhile.
      if (this.#stopping.signal.aborted) return null
      if (this.#page === null || this.#inTheWay() !== null) return 0
    }
    this.#waitingFor = null
    this.#heldMs = HELD_MS
    const began = clock.elapsed()
    const { most, pauseMs, pauseShare } = this.#pace(began)
    const { rate } = this.#record.filter
    // Of what has a rate, no more at once than about a second's.
    this.#takeSome(this.#page, rate === null ? most : Math.min(most, Math.max(1, Math.floor(rate / 3))))
    return Math.max(pauseMs, pauseShare * (clock.elapsed() - began))
  }

  /** After a fault of the disk it goes on from what is there: the last commits may not be. */
  #readAfterFault(): void {
    const { store } = this.parts
    const { count } = store.guard.doubts
    if (count === this.#doubts) return
    this.#record = findBackfill(store, this.#record.id) ?? this.#record
    this.#page = null
    this.#doubts = count
  }

  /** What another account gave, or one that is switched off, is not taken, and its names of pages mean nothing any more. */
  #dropOthersPage(): void {
    const { tenant } = this.#record
    if (this.#readBy === null || this.#readBy === this.parts.source.reader(tenant)) return
    this.#readBy = null
    this.#page = null
    this.#beginDays()
  }

  /** Has what is being read begin with its first page, once more. */
  #beginDays(): void {
    const { cursor } = this.#record
    const responses = Math.max(this.#countedOf(cursor), (cursor.before ?? 0) + cursor.place)
    this.#counted = { days: daysOf(cursor), responses }
    this.#record = { ...this.#record, cursor: firstPage(cursor) }
  }

  #countedOf(cursor: BackfillCursor): number {
    return this.#counted.days === daysOf(cursor) ? this.#counted.responses : 0
  }

  #pace(now: number): Pace {
    const newest = newestItem(this.parts.store)
    if (this.#newest !== null && newest > this.#newest) this.#othersAt = now
    this.#newest = newest
    return now - this.#othersAt < OTHERS_LAST_MS ? BESIDE_OTHERS : ALONE
  }

  /** What is newer and comes first; null when there is room. */
  #inTheWay(): string | null {
    const { store, isFlooded } = this.parts
    if (isFlooded()) return 'requests that are coming in'
    const { tenant, mode } = this.#record
    if (mode === 'store-only') return null
    if (hasUnmapped(store, tenant)) return 'newer items that are to be mapped'
    if (waitingToSegment(store, tenant, MOST_WAITING) < MOST_WAITING) return null
    return 'messages that are to be sent to Segment first'
  }

  #held(why: string): number {
    // Each step is waited for a little: that is not worth a word.
    if (this.#heldMs > TOLD_FROM_MS) this.#waitingFor = why
    const pause = this.#heldMs
    this.#heldMs = Math.min(pause * 2, LONGEST_HELD_MS)
    return pause
  }

  /** Adds what became of the last items to the counts; answers whether it is known already. */
  #countUp(uncounted: { after: number; until: number }): boolean {
    const { store, clock } = this.parts
    if (unmappedAmong(store, uncounted) > 0) return false
    const outcome = outcomeOf(store, uncounted)
    const counts = { ...this.#record.counts }
    for (const name of ['messages', 'copies', 'skipped', 'dead'] as const) counts[name] += outcome[name]
    const next = { ...this.#record, counts, uncounted: null }
    store.relaxedTransaction(() => saveBackfill(store, next, clock.now()))
    this.#record = next
    const { rate } = next.filter
    if (rate === null) return true
    const now = clock.elapsed()
    this.#nextAt = Math.max(this.#nextAt, now) + (outcome.messages / rate) * 1000
    return true
  }

  /** Reads the next page; answers how long to wait, 0 when it is there, or null when it is over. */
  async #read(): Promise<number | null> {
    const { source } = this.parts
    const { tenant, filter, total, cursor } = this.#record
    const reader = source.reader(tenant)
    if (reader === null) {
      this.#waitingFor = 'its tenant, which the configuration does not have or has switched off'
      return CLOSED_MS
    }
    const { signal } = this.#stopping
    const asksTotal = cursor.phase === 'responses' && total === null && !this.#askedTotal
    const wish = { cursor, filter, asksTotal, kinds: source.kinds(tenant) }
    const page = await readPage(reader, wish, signal)
    if (signal.aborted) return null
    if (!page.ok) return this.#failed(page)
    this.#askedTotal ||= asksTotal
    this.#awayMs = AWAY_MS
    const fewer = cursor.phase === 'responses' ? narrowed(cursor, page, PAGE_LENGTH) : null
    this.#record = { ...this.#record, total: page.whole ?? total, ...(fewer !== null && { cursor: fewer }) }
    if (fewer !== null) return 0
    if (cursor.page === null) this.#trail = new PageTrail()
    this.#readBy = reader
    const lead = this.#trail.after(page, cursor.page)
    if (lead === 'circle') return this.#beginDaysAgain(IN_A_CIRCLE)
    const leadsAgain = lead === 'again' && this.#againOf(cursor) < MOST_AGAIN
    const nextCursor = lead === 'on' ? page.nextCursor : null
    const countedFrom = Math.max(cursor.place, this.#countedOf(cursor) - (cursor.before ?? 0))
    this.#page = { ...page, nextCursor, next: 0, countedFrom, leadsAgain }
    return 0
  }

  #againOf(cursor: BackfillCursor): number {
    return this.#again.days === daysOf(cursor) ? this.#again.times : 0
  }

  /** From their first page, once; then it ends as failed. */
  #beginDaysAgain(reason: string): number | null {
    const { cursor } = this.#record
    if (cursor.page === null || this.#begunAgain === daysOf(cursor)) {
      return this.#end('failed', `reading from Refiner: ${reason}`)
    }
    this.#begunAgain = daysOf(cursor)
    this.#beginDays()
    return AWAY_MS
  }

  #failed({ kind, reason, retryAfterMs }: ReadFailure): number | null {
    switch (kind) {
      case 'throttled':
      case 'unavailable': {
        this.#waitingFor = `Refiner: ${reason}`
        const pause = Math.max(this.#awayMs, Math.min(retryAfterMs ?? 0, LONGEST_ASKED_MS))
        this.#awayMs = Math.min(this.#awayMs * 2, LONGEST_AWAY_MS)
        return pause
      }
      case 'unauthorized':
        this.#waitingFor = `a key that Refiner takes: ${reason}`
        return CLOSED_MS
      case 'rejected':
        // What named the page may have been forgotten there by now.
        return this.#beginDaysAgain(reason)
    }
  }

  /** Takes some of the page, in one commit with how far it has come. */
  #takeSome(page: OpenPage, most: number): void {
    const { store, clock, wakeMapper } = this.parts
    const before = this.#record
    const some = page.items.slice(page.next, page.next + most)
    const next = page.next + some.length
    const isWhole = next >= page.items.length
    const now = clock.now()
    const saved = store.relaxedTransaction(() => {
      const after = newestItem(store)
      const counts = { ...before.counts }
      some.forEach((item, index) => {
        const taken = this.#taker.take(before.cursor.phase, item, now)
        // What was not there the first time is counted the second time.
        const isNew = taken === 'taken' && before.mode === 'to-segment'
        if (isNew || page.next + index >= page.countedFrom) count(counts, taken)
      })
      const until = newestItem(store)
      const { cursor, filter } = before
      const record = {
        ...before,
        counts,
        cursor: isWhole
          ? page.leadsAgain
            ? firstPage(cursor)
            : afterPage(cursor, page, filter, PAGE_LENGTH)
          : { ...cursor, place: Math.max(cursor.place, next) },
        uncounted: until > after ? { after, until } : null,
        updatedAt: now,
      }
      saveBackfill(store, record, now)
      return record
    })
    this.#record = saved
    this.#newest = saved.uncounted?.until ?? this.#newest
    page.next = next
    if (isWhole) {
      if (page.leadsAgain) this.#readAgain(before.cursor, page.items.length)
      this.#page = null
    }
    if (saved.uncounted !== null) wakeMapper()
  }

  #readAgain(cursor: BackfillCursor, onLastPage: number): void {
    const responses = Math.max(this.#countedOf(cursor), (cursor.before ?? 0) + onLastPage)
    this.#counted = { days: daysOf(cursor), responses }
    this.#again = { days: daysOf(cursor), times: this.#againOf(cursor) + 1 }
  }

  #end(to: 'done' | 'failed', reason: string | null): null {
    const { store, clock, log, onEnd } = this.parts
    const { id, tenant, counts } = this.#record
    const now = clock.now()
    store.transaction(() => moveBackfill(store, id, { from: 'running', to, reason, now }))
    const { read, taken, messages, contacts } = counts
    if (to === 'failed') log.error({ backfill: id, tenant, reason }, 'a backfill failed')
    else log.info({ backfill: id, tenant, read, taken, messages, contacts }, 'a backfill is done')
    onEnd(id)
    return null
  }

  #rest(ms: number): Promise<void> {
    const { signal } = this.#stopping
    if (signal.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      const go = () => {
        cancel()
        signal.removeEventListener('abort', go)
        resolve()
      }
      const cancel = this.parts.clock.after(ms, go)
      signal.addEventListener('abort', go, { once: true })
    })
  }
}

/** What is being read, as a word. */
function daysOf({ phase, from }: BackfillCursor): string {
  return `${phase} ${from}`
}

type Counting = { -readonly [Name in keyof BackfillCounts]: number }

function count(counts: Counting, taken: Taken): void {
  if (taken === 'contact' || taken === 'contact kept') {
    counts.contacts += 1
    if (taken === 'contact kept') counts.contactsKept += 1
    return
  }
  counts.read += 1
  counts[taken] += 1
}
