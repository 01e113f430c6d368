import type { Cancel, Clock } from '../contracts/clock.ts'
import type { Tenant } from '../contracts/configuration.ts'
import type { SegmentMessage } from '../contracts/segment-message.ts'
import type { Log } from '../observe/log.ts'
import {
  findMore,
  forgetPerson,
  forgetRequests,
  type ForgetTerms,
  hashOf,
  holdBack,
  isUnderWay,
  nothingFound,
  removeDoomed,
  suppressPerson,
} from '../store/forget.ts'
import { isAnyDoomed } from '../store/doomed.ts'
import type { Whom } from '../store/identities.ts'
import type { Store } from '../store/open.ts'
import { type Person, personOf } from '../store/person.ts'
import { addReceipt, findReceipt, isAnyUnswept, markSwept, type Receipt } from '../store/receipts.ts'
import { Scrub } from '../store/scrub.ts'
import { isAnyTombstone, liftTombstones, tombstoneKind } from '../store/tombstones.ts'

export interface ForgettingParts {
  readonly store: Store
  readonly clock: Clock
  readonly log: Log
  /** Undefined where the configuration does not name it. */
  readonly tenant: (name: string) => Tenant | undefined
  /** Says that there is something to send for this tenant. */
  readonly wakeLanes: (tenant: string) => void
  readonly onError: (error: unknown) => void
}

/** Between two parts of something long, each of some milliseconds. */
const REST_MS = 2
/** What is on its way to Refiner is waited for, so that a deletion there is the last word: at most so long. */
const LONGEST_WAIT_MS = 12_000
const LOOK_MS = 20
const HOLD_MS = 1000
/** How long after bytes were freed they are overwritten, and when that is tried again. */
const SWEEP_AFTER_MS = 50
const SWEEP_AGAIN_MS = 200
/** So often at most for items that came of somebody who was forgotten before. */
const SWEEP_EVERY_MS = 10_000
/** The whole file is looked at for it: after that comes a pause so many times as long as it took. */
const PAUSE_SHARE = 1
const PAUSE_SHARE_OF_DROPPED = 50
const REQUEST_AGAIN_MS = 5000

export interface LiftTerms {
  readonly by: string
  /** Who was forgotten is meant, too. */
  readonly alsoForgotten: boolean
}

/** Forgets people, one after the other, and sees to it that nothing is left of their bytes. */
export class Forgetting {
  #last: Promise<unknown> = Promise.resolve()
  #stopped = false
  #isAtRequests = false
  #cancelRequests: Cancel = () => {}
  #cancelSweep: Cancel | null = null
  /** When it is to be, on the clock that is never set back. */
  #sweepAt = Infinity
  #sweeping: Promise<void> | null = null
  readonly #scrub: Scrub
  #scrubbedAt = -Infinity
  #scrubTook = 0

  constructor(private readonly parts: ForgettingParts) {
    this.#scrub = new Scrub(parts.store, parts.clock)
  }

  /** Goes on with what was not done when it last stopped. */
  start(): void {
    this.#last = this.#removeRest()
    this.#last.catch(this.parts.onError)
    this.wake()
    if (isAnyUnswept(this.parts.store)) this.sweepSoon()
    // What came of such people since is not in any receipt.
    else if (isAnyTombstone(this.parts.store)) this.dropped()
  }

  /** What has not been done is not begun any more; what is asked for by Segment is done after the next start. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#cancelRequests()
    this.#cancelSweep?.()
    await this.#last.catch(() => {})
    await this.#sweeping
  }

  /** Removes all that is kept of a person. Rejects when it is stopping; then nothing has changed. */
  forget(tenant: string, whom: Whom, by: string): Promise<Receipt> {
    const askedAt = this.parts.clock.now()
    const work = this.#last.catch(() => {}).then(() => this.#forget(tenant, whom, { by, askedAt }))
    this.#last = work
    return work
  }

  /** From now on drops what comes of a person. */
  suppress(tenant: string, whom: Whom, by: string): Receipt {
    const { store, clock, log } = this.parts
    const receipt = suppressPerson(store, whom, tenant, { by, now: clock.now() })
    log.info({ tenant, receipt: receipt.id, by }, 'suppressed')
    this.sweepSoon()
    return receipt
  }

  /**
   * Takes what comes of a person again, who is suppressed; one who was forgotten only where that is meant. Null when neither.
   */
  lift(tenant: string, whom: Whom, { by, alsoForgotten }: LiftTerms): Receipt | 'forgotten' | null {
    const { store, clock, log } = this.parts
    const now = clock.now()
    const hash = hashOf(store, tenant, whom)
    if (!alsoForgotten && tombstoneKind(store, tenant, hash) === 'forgotten') return 'forgotten'
    const receipt = store.transaction(() => {
      const lifted = liftTombstones(store, tenant, hash)
      if (lifted === 0) return null
      const counts = JSON.stringify({ tombstones: lifted })
      const told = { tenant, hash, what: 'lift', by, askedAt: now, doneAt: now, counts, complete: 1 } as const
      return findReceipt(store, addReceipt(store, { ...told, refiner: 'not asked' }))!
    })
    if (receipt !== null) {
      log.info({ tenant, receipt: receipt.id, by }, 'takes somebody again who was forgotten or suppressed')
      this.sweepSoon()
    }
    return receipt
  }

  /** Says that Segment may have asked for deletions. */
  wake(): void {
    if (this.#isAtRequests || this.#stopped) return
    this.#isAtRequests = true
    void this.#requests()
  }

  /** Says that bytes were freed of somebody of whom nothing may be kept. */
  sweepSoon(ms = SWEEP_AFTER_MS): void {
    const at = this.parts.clock.elapsed() + ms
    if (this.#stopped || at >= this.#sweepAt) return
    this.#cancelSweep?.()
    this.#sweepAt = at
    this.#cancelSweep = this.parts.clock.after(ms, () => {
      this.#sweepAt = Infinity
      this.#sweep()
    })
  }

  /** The same for what came of such a person later: that is written, and removed when it is mapped. */
  dropped(): void {
    this.sweepSoon(SWEEP_EVERY_MS)
  }

  async #requests(): Promise<void> {
    const { store, clock, onError } = this.parts
    try {
      for (let [next] = forgetRequests(store, {}); next !== undefined && !this.#stopped;) {
        const { userId } = JSON.parse(next.payload) as SegmentMessage
        await this.forget(next.tenant, { userId }, 'segment')
        ;[next] = forgetRequests(store, {})
      }
    } catch (error) {
      if (!this.#stopped) {
        onError(error)
        this.#cancelRequests = clock.after(REQUEST_AGAIN_MS, () => this.wake())
      }
    } finally {
      this.#isAtRequests = false
    }
  }

  async #forget(tenant: string, whom: Whom, terms: Omit<ForgetTerms, 'inRefiner'>): Promise<Receipt> {
    const { store, clock, log, wakeLanes } = this.parts
    const settings = this.parts.tenant(tenant)?.toRefiner
    const inRefiner = settings?.delete === true && settings.enabled
    let person = personOf(store, tenant, whom)
    let found = nothingFound()
    const waitUntil = clock.elapsed() + LONGEST_WAIT_MS
    for (;;) {
      if (this.#stopped) throw new Error('refiner-sync is stopping')
      const isAll = findMore(store, person, found, clock)
      const latest = personOf(store, tenant, whom)
      if (!isSame(person, latest)) {
        // Known by more now: what was passed over may be theirs.
        person = latest
        found = nothingFound()
      } else if (isAll) {
        const isWaiting = inRefiner && isUnderWay(store, person) && clock.elapsed() < waitUntil
        if (!isWaiting) break
        holdBack(store, person, clock.now() + HOLD_MS)
        await this.#rest(LOOK_MS)
        continue
      }
      await this.#rest(REST_MS)
    }
    // In the same turn as the last look: nothing has come in between.
    const receipt = forgetPerson(store, whom, person, found, { ...terms, inRefiner, now: clock.now() })
    log.info({ tenant, receipt: receipt.id, by: terms.by }, 'forgotten')
    wakeLanes(tenant)
    await this.#removeRest()
    this.sweepSoon()
    return findReceipt(store, receipt.id)!
  }

  /** After a stop the next start goes on. */
  async #removeRest(): Promise<void> {
    const { store, clock } = this.parts
    while (!this.#stopped && removeDoomed(store, clock.now())) await this.#rest(REST_MS)
  }

  #rest(ms: number): Promise<void> {
    return new Promise((resolve) => this.parts.clock.after(ms, resolve))
  }

  #sweep(): void {
    if (this.#sweeping === null) this.#sweeping = this.#sweepAndGoOn()
    else this.sweepSoon(SWEEP_AGAIN_MS)
  }

  async #sweepAndGoOn(): Promise<void> {
    let again: number | null = SWEEP_EVERY_MS
    try {
      again = await this.#sweepOnce()
    } catch (error) {
      this.parts.onError(error)
    }
    this.#sweeping = null
    if (again !== null) this.sweepSoon(again)
  }

  /** Answers when to go on; null when that was all. */
  async #sweepOnce(): Promise<number | null> {
    const { store, clock } = this.parts
    // Whoever removes the rest may have met a fault of the disk: here it goes on.
    if (isAnyDoomed(store)) {
      removeDoomed(store, clock.now())
      return SWEEP_AGAIN_MS
    }
    const share = isAnyUnswept(store) ? PAUSE_SHARE : PAUSE_SHARE_OF_DROPPED
    const pause = this.#scrubbedAt + share * this.#scrubTook - clock.elapsed()
    // The -wal has all that came; the file hardly ever a copy of it.
    if (pause > 0) return store.emptyWal() ? pause : SWEEP_AGAIN_MS
    const began = clock.elapsed()
    const isDone = await this.#scrub.run(
      () => this.#stopped,
      () => {
        if (isAnyUnswept(store) && !isAnyDoomed(store)) markSwept(store, { now: clock.now() })
      },
    )
    this.#scrubbedAt = clock.elapsed()
    this.#scrubTook = this.#scrubbedAt - began
    return isDone && !isAnyUnswept(store) ? null : SWEEP_AGAIN_MS
  }
}

function isSame(one: Person, other: Person): boolean {
  return (
    JSON.stringify([one.identifiers, one.keys.toSorted()]) ===
    JSON.stringify([other.identifiers, other.keys.toSorted()])
  )
}
