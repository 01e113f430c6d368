import type { Cancel, Clock } from '../contracts/clock.ts'
import type { InteractionKind, PrivacySettings } from '../contracts/configuration.ts'
import type { PollStatus } from '../contracts/health.ts'
import type { ReadFailure, RefinerReader } from '../contracts/refiner-reader.ts'
import type { Store } from '../store/open.ts'
import { beginPolling, pollPlace, pollRead } from '../store/poll-places.ts'
import { type Person, takeResponses } from './take-page.ts'

/** Refiner gives up to 1,000 at once; so many are looked through in some milliseconds. */
const PAGE_LENGTH = 100
const TAKEN_AT_ONCE = 25

/** So far before the last poll each one begins again: what Refiner shows late, and clocks that are apart, cost nothing. */
const LEAST_OVERLAP_MS = 10 * 60_000
/** So often the last days are read again: a response may be answered, or its contact identified, days after it began. */
const SWEEP_EVERY_MS = 12 * 3_600_000
const SWEEP_MS = 7 * 86_400_000

/** After a failure it is tried again sooner than the next poll would come, but not more often than this. */
const FIRST_RETRY_MS = 15_000
const LONGEST_PAUSE_MS = 3_600_000

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
  readonly cursors: Set<string>
}

/** What polling needs to know of a tenant. */
export interface PolledTenant {
  readonly name: string
  readonly everyMs: number
  readonly reader: RefinerReader
  /** What of a response may become a message: a survey that was only seen often does not. */
  readonly kinds: ReadonlySet<InteractionKind>
  /** What of a response is not to be kept. */
  readonly privacy: PrivacySettings | null
}

export interface PollerParts {
  readonly store: Store
  readonly clock: Clock
  /** How long it is known that a response was sent, in ms: what is older must not be read again. */
  readonly rememberedMs: () => number
  readonly isForgotten: (tenant: string, person: Person) => boolean
  /** Called when something was added to the inbox. */
  readonly onFound: (tenant: string, missed: number) => void
  readonly onFailure: (tenant: string, failure: ReadFailure) => void
  readonly onError: (error: unknown) => void
}

/** Fetches, every now and then, the responses of one tenant that no webhook brought. */
export class Poller {
  readonly #stopping = new AbortController()
  #cancel: Cancel = () => {}
  #isStarted = false
  #failures = 0
  /** What a failure broke off, to go on with: an account that refuses now and then must not begin again for ever. */
  #run: Run | null = null
  #lastError: PollStatus['lastError'] = null

  constructor(
    private readonly parts: PollerParts,
    private readonly tenant: PolledTenant,
  ) {}

  get status(): PollStatus {
    const place = pollPlace(this.parts.store, this.tenant.name)
    return {
      lastSuccessAt: place?.lastSuccessAt ?? null,
      lastError: this.#lastError,
      missed: place?.missed ?? 0,
      lastMissedAt: place?.lastMissedAt ?? null,
    }
  }

  /** The first poll ever begins with what comes from now on; what was before is for a backfill. */
  start(): void {
    if (this.#isStarted) return
    this.#isStarted = true
    const { store, clock, onError } = this.parts
    try {
      beginPolling(store, { tenant: this.tenant.name, now: clock.now() })
    } catch (error) {
      onError(error)
    }
    this.#next(this.#waitMs())
  }

  stop(): void {
    this.#stopping.abort()
    this.#cancel()
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
      const failure = await this.#read()
      if (this.#stopping.signal.aborted) return
      if (failure !== null) pause = this.#afterFailure(failure)
      else this.#failures = 0
    } catch (error) {
      // The disk takes nothing: what has been read is read again.
      this.parts.onError(error)
      this.#run = null
      pause = FIRST_RETRY_MS
    }
    this.#next(pause)
  }

  /** All pages from the place on; the place moves when all of them are kept. */
  async #read(): Promise<ReadFailure | null> {
    const { store, clock, onFound } = this.parts
    const { name: tenant, reader, kinds, privacy } = this.tenant
    const { signal } = this.#stopping
    const run = (this.#run ??= this.#begin(clock.now()))
    const { since, notBefore, begunAt, isSweep, sweptAt } = run
    do {
      const page = await reader.responses(
        {
          since,
          until: null,
          cursor: run.cursor,
          pageLength: PAGE_LENGTH,
          include: kinds.size > 1 ? 'all' : 'completed',
          formUuids: [],
          withAttributes: true,
        },
        signal,
      )
      if (signal.aborted) return null
      if (!page.ok) {
        // Perhaps it is the cursor that is refused.
        if (page.kind === 'rejected') this.#run = null
        return page
      }
      let missed = 0
      for (let from = 0; from < page.items.length; from += TAKEN_AT_ONCE) {
        const some = page.items.slice(from, from + TAKEN_AT_ONCE)
        const { isForgotten } = this.parts
        missed += takeResponses(store, some, {
          tenant,
          kinds,
          isForgotten,
          privacy,
          notBefore,
          now: clock.now(),
        })
        // What else the thread has to do comes in between.
        await new Promise<void>((resolve) => setImmediate(resolve))
      }
      if (missed > 0) onFound(tenant, missed)
      // An account that gives the same pages for ever must not be read for ever.
      run.cursor = page.nextCursor === null || run.cursors.has(page.nextCursor) ? null : page.nextCursor
      if (run.cursor !== null) run.cursors.add(run.cursor)
    } while (run.cursor !== null && !signal.aborted)
    if (signal.aborted) return null
    store.transaction(() => {
      pollRead(store, { tenant, seenUntil: begunAt, sweptAt: isSweep ? begunAt : sweptAt, now: clock.now() })
    })
    this.#run = null
    return null
  }

  #begin(now: number): Run {
    const { store, rememberedMs } = this.parts
    const place = pollPlace(store, this.tenant.name)
    const seenUntil = place?.seenUntil ?? now
    const sweptAt = place?.sweptAt ?? now
    const overlap = Math.max(LEAST_OVERLAP_MS, 2 * this.tenant.everyMs)
    // Of what is older nobody knows any more whether it was sent.
    const oldest = now - rememberedMs() / 2
    // A clock that was set back: the place is not one to go on from.
    const isAhead = seenUntil > now || sweptAt > now
    const isSweep = isAhead || now - sweptAt >= SWEEP_EVERY_MS
    const isFirst = (place?.lastSuccessAt ?? null) === null
    const since = Math.min(seenUntil, now) - (isFirst ? 0 : overlap)
    const from = isSweep ? Math.min(since, now - SWEEP_MS) : since
    const notBefore = Math.floor(Math.max(oldest, Math.min(place?.begunAt ?? now, now)))
    return {
      since: Math.floor(Math.max(from, notBefore)),
      notBefore,
      begunAt: now,
      isSweep,
      sweptAt,
      cursor: null,
      cursors: new Set(),
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
