import type { Cancel, Clock } from '../contracts/clock.ts'
import type { InteractionKind, PrivacySettings } from '../contracts/configuration.ts'
import type { PollStatus } from '../contracts/health.ts'
import type { JsonObject } from '../contracts/json.ts'
import type { ReadFailure, RefinerReader } from '../contracts/refiner-reader.ts'
import { oldestFirst } from '../intake/response-order.ts'
import type { Store } from '../store/open.ts'
import { beginPolling, pollPlace, pollRead } from '../store/poll-places.ts'
import { PageTrail } from './page-trail.ts'
import { type Found, foundIn, keepFound, type Person } from './take-page.ts'

/** Refiner gives up to 1,000 at once; so many are looked through in some milliseconds. */
const PAGE_LENGTH = 100
const TAKEN_AT_ONCE = 25
/** So much is held until the last page is read, to be put into its order: Refiner lists the newest first. */
const MOST_HELD = 2000
const MOST_HELD_CHARACTERS = 16 * 1024 * 1024
/** So often a list is read again that got shorter while it was read. */
const MOST_AGAIN = 2
/** After so many at one page the others do not wait for it any more, and newer ones are looked for. */
const MOST_FAILURES = 3

/** So far before the last poll each one begins again: what Refiner shows late, and clocks that are apart, cost nothing. */
const LEAST_OVERLAP_MS = 10 * 60_000
/** What Refiner's clock may be off without a word: its answers tell whole seconds, and take their time. */
const CLOCKS_APART_MS = 30_000
/** By more no clock is off with which TLS works for long: then it is the answer that is not of now. */
const MOST_APART_MS = 86_400_000
/** So often the last days are read again: a response may be answered, or its contact identified, days after it began. */
const SWEEP_EVERY_MS = 12 * 3_600_000
const SWEEP_MS = 7 * 86_400_000

/** After a failure it is tried again sooner than the next poll would come, but not more often than this. */
const FIRST_RETRY_MS = 15_000
const LONGEST_PAUSE_MS = 3_600_000
/** So often it looks whether there is room again, or somebody to read from. */
const HELD_MS = 15_000

/** What is read from the place on, page by page. Moments in ms since 1970. */
interface Run {
  readonly since: number
  /** What happened before is not taken. */
  readonly notBefore: number
  readonly begunAt: number
  readonly isSweep: boolean
  readonly sweptAt: number
  /** Of the page that comes next. */
  cursor: string | null
  trail: PageTrail
  /** How often it was read from the first page again. */
  again: number
  /** Of the page that comes next, one after the other. */
  failures: number
  /** What is to be added once all of it is known. */
  held: Found[]
  heldCharacters: number
}

/** What polling needs to know of a tenant. */
export interface PolledTenant {
  readonly name: string
  readonly everyMs: number
  /** Null where nothing can be read now. */
  readonly reader: () => RefinerReader | null
  /** What of a response may become a message: a survey that was only seen often does not. */
  readonly kinds: ReadonlySet<InteractionKind>
  /** What of a response is not to be kept. */
  readonly privacy: PrivacySettings | null
}

export interface PollerParts {
  readonly store: Store
  readonly clock: Clock
  /** How long it is known what became of a response, in ms. */
  readonly rememberedMs: () => number
  readonly isForgotten: (tenant: string, person: Person) => boolean
  /** Whether so much waits for a tenant that nothing more is to be taken. */
  readonly isFull: (tenant: string) => boolean
  /** Called when something was added to the inbox; `missed`: how much of it no webhook had brought. */
  readonly onFound: (tenant: string, missed: number) => void
  readonly onFailure: (tenant: string, failure: ReadFailure) => void
  readonly onError: (error: unknown) => void
}

/** Fetches, every now and then, the responses of one tenant that no webhook brought. */
export class Poller {
  readonly #stopping = new AbortController()
  #cancel: Cancel = () => {}
  #isStarted = false
  /** On the clock that is never set back. */
  #startedAt = 0
  #failures = 0
  /** What a failure broke off, to go on with: an account that refuses now and then must not begin again for ever. */
  #run: Run | null = null
  #lastError: PollStatus['lastError'] = null
  /** How far this clock is ahead of Refiner's: by as much each poll begins earlier. */
  #aheadMs = 0

  constructor(
    private readonly parts: PollerParts,
    private readonly tenant: PolledTenant,
  ) {}

  get status(): PollStatus {
    const place = pollPlace(this.parts.store, this.tenant.name)
    return {
      lastSuccessAt: place?.lastSuccessAt ?? null,
      lastError: this.#lastError,
      isFailing: this.#failures > 0,
      missed: place?.missed ?? 0,
      lastMissedAt: place?.lastMissedAt ?? null,
    }
  }

  /** The first poll ever begins with what comes from now on; what was before is for a backfill. */
  start(): void {
    if (this.#isStarted) return
    this.#isStarted = true
    const { clock, onError } = this.parts
    this.#startedAt = clock.elapsed()
    let wait = this.tenant.everyMs
    try {
      this.#beginOnce()
      wait = this.#waitMs()
    } catch (error) {
      onError(error)
    }
    this.#next(wait)
  }

  stop(): void {
    this.#stopping.abort()
    this.#cancel()
  }

  /** The moment of the start by the clock as it is now: it may have been set back since. */
  #startMoment(): number {
    const { clock } = this.parts
    return Math.floor(clock.now() - (clock.elapsed() - this.#startedAt))
  }

  #beginOnce(): void {
    beginPolling(this.parts.store, { tenant: this.tenant.name, now: this.#startMoment() })
  }

  /** After a restart the next poll comes when it would have come, or at once. */
  #waitMs(): number {
    const last = pollPlace(this.parts.store, this.tenant.name)?.lastSuccessAt ?? null
    const since = last === null ? this.tenant.everyMs : this.parts.clock.now() - last
    return Math.min(Math.max(this.tenant.everyMs - Math.max(since, 0), 0), this.tenant.everyMs)
  }

  #next(ms: number): void {
    if (this.#stopping.signal.aborted) return
    this.#cancel = this.parts.clock.after(ms, () => void this.#poll())
  }

  async #poll(): Promise<void> {
    let pause = this.tenant.everyMs
    try {
      const result = await this.#read()
      if (this.#stopping.signal.aborted) return
      if (result === 'held') pause = HELD_MS
      else if (result === 'read') this.#failures = 0
      else pause = this.#afterFailure(result)
    } catch (error) {
      if (this.#stopping.signal.aborted) return
      // The disk takes nothing: what has been read is read again.
      this.parts.onError(error)
      this.#run = null
      pause = FIRST_RETRY_MS
    }
    this.#next(pause)
  }

  /** All pages from the place on; the place moves when all of them are kept. */
  async #read(): Promise<ReadFailure | 'read' | 'held'> {
    const { store, clock, isFull } = this.parts
    const { name: tenant, kinds } = this.tenant
    const { signal } = this.#stopping
    let run = (this.#run ??= this.#begin(clock.now()))
    for (;;) {
      const reader = this.tenant.reader()
      if (reader === null || isFull(tenant)) return 'held'
      const page = await reader.responses(
        {
          since: run.since,
          until: null,
          cursor: run.cursor,
          pageLength: PAGE_LENGTH,
          include: kinds.size > 1 ? 'all' : 'completed',
          formUuids: [],
          withAttributes: true,
        },
        signal,
      )
      if (signal.aborted) return 'held'
      if (!page.ok) {
        run.failures += 1
        const isLasting = page.kind !== 'throttled' && run.failures >= MOST_FAILURES
        if (isLasting) await this.#keep(run)
        // Perhaps it is the cursor that is refused.
        if (isLasting || page.kind === 'rejected') this.#run = null
        return page
      }
      run.failures = 0
      if (run.cursor === null && this.#isFurtherAhead(page.clockAheadMs)) {
        run = this.#run = this.#begin(clock.now())
        continue
      }
      await this.#find(run, page.items)
      const lead = run.trail.after(page, run.cursor)
      run.cursor = lead === 'on' ? page.nextCursor : null
      if (lead === 'on') {
        const isMuch = run.held.length >= MOST_HELD || run.heldCharacters >= MOST_HELD_CHARACTERS
        if (isMuch) await this.#keep(run)
        if (signal.aborted) return 'held'
        continue
      }
      if (lead === 'again' && run.again < MOST_AGAIN) {
        run.again += 1
        run.trail = new PageTrail()
        continue
      }
      await this.#keep(run)
      if (signal.aborted) return 'held'
      this.#run = null
      if (lead === 'circle') return IN_A_CIRCLE
      const { begunAt, sweptAt, isSweep } = run
      store.transaction(() => {
        pollRead(store, {
          tenant,
          begunAt: Math.min(begunAt, this.#startMoment()),
          seenUntil: begunAt,
          sweptAt: isSweep ? begunAt : sweptAt,
          now: clock.now(),
        })
      })
      return 'read'
    }
  }

  /** Whether this clock is further ahead of Refiner's than it was taken to be. */
  #isFurtherAhead(ms: number | null): boolean {
    if (ms === null) return false
    const before = this.#aheadMs
    this.#aheadMs = ms < CLOCKS_APART_MS || ms > MOST_APART_MS ? 0 : ms
    return this.#aheadMs > before + CLOCKS_APART_MS
  }

  /** Holds what of these is not known. */
  async #find(run: Run, items: readonly JsonObject[]): Promise<void> {
    const { store, clock, isForgotten } = this.parts
    const { name: tenant, kinds, privacy } = this.tenant
    for (const some of portions(items)) {
      const terms = { tenant, kinds, isForgotten, privacy, notBefore: run.notBefore, now: clock.now() }
      for (const found of foundIn(store, some, terms)) {
        run.held.push(found)
        run.heldCharacters += found.payload.length
      }
      await othersTurn()
      if (this.#stopping.signal.aborted) return
    }
  }

  /** Adds what is held to the inbox, what happened first first. */
  async #keep(run: Run): Promise<void> {
    const { store, clock, isForgotten, onFound } = this.parts
    const { name: tenant } = this.tenant
    const held = oldestFirst(run.held)
    run.held = []
    run.heldCharacters = 0
    let [added, missed] = [0, 0]
    for (const some of portions(held)) {
      if (this.#stopping.signal.aborted) break
      const kept = keepFound(store, some, { tenant, isForgotten, now: clock.now() })
      added += kept.added
      missed += kept.missed
      await othersTurn()
    }
    if (added > 0) onFound(tenant, missed)
  }

  #begin(now: number): Run {
    const { store, rememberedMs } = this.parts
    // The disk may not have taken it at the start.
    if (pollPlace(store, this.tenant.name) === null) this.#beginOnce()
    const place = pollPlace(store, this.tenant.name)!
    const { seenUntil, sweptAt } = place
    const overlap = Math.max(LEAST_OVERLAP_MS, 2 * this.tenant.everyMs)
    // A clock that was set back: the place is not one to go on from.
    const isAhead = seenUntil > now || sweptAt > now
    const isSweep = isAhead || now - sweptAt >= SWEEP_EVERY_MS
    const ahead = this.#aheadMs
    const since = Math.min(seenUntil, now) - ahead - (place.lastSuccessAt === null ? 0 : overlap)
    // Of what is older than half of that nobody knows any more why it was not sent, if it was not: it is not read again.
    const sweep = now - Math.min(SWEEP_MS, rememberedMs() / 2)
    const from = isSweep ? Math.min(since, sweep) : since
    const begun = Math.min(place.begunAt, this.#startMoment(), now) - ahead
    return {
      since: Math.floor(Math.max(from, begun)),
      notBefore: Math.floor(Math.max(begun, Math.min(since, now - rememberedMs() / 2))),
      begunAt: now,
      isSweep,
      sweptAt,
      cursor: null,
      trail: new PageTrail(),
      again: 0,
      failures: 0,
      held: [],
      heldCharacters: 0,
    }
  }

  #afterFailure(failure: ReadFailure): number {
    const { clock, onFailure } = this.parts
    this.#lastError = { at: clock.now(), message: failure.reason }
    onFailure(this.tenant.name, failure)
    this.#failures += 1
    const backoff = FIRST_RETRY_MS * 2 ** Math.min(this.#failures - 1, 8)
    const asked = failure.retryAfterMs ?? 0
    const wait =
      failure.kind === 'unauthorized' ? this.tenant.everyMs : Math.min(backoff, this.tenant.everyMs)
    return Math.min(Math.max(wait, asked), LONGEST_PAUSE_MS)
  }
}

const IN_A_CIRCLE: ReadFailure = {
  ok: false,
  kind: 'unavailable',
  retryAfterMs: null,
  status: null,
  reason: 'Refiner names a page that it gave before, though there is more to be read',
}

function* portions<Item>(all: readonly Item[]): Generator<readonly Item[]> {
  for (let from = 0; from < all.length; from += TAKEN_AT_ONCE) yield all.slice(from, from + TAKEN_AT_ONCE)
}

/** What else the thread has to do comes in between. */
function othersTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
