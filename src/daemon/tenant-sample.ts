import type { ArrivalFacts, Origin, SampleFacts, SourceFacts, UserIdFacts } from '../contracts/diagnosis.ts'
import type { Source } from '../contracts/inbox.ts'
import { looseId, shapesOf } from '../doctor/id-shape.ts'
import type { Store } from '../store/open.ts'
import { knownOnSides, outcomesOf, type RecentItem, userIdOf } from '../store/recent-items.ts'

/** Of each source, of so many of the newest items it is looked up what became of them, and of whom they are. */
const MOST_OUTCOMES = 200
const MOST_IDS = 500
const WEEK_MS = 7 * 86_400_000
const MOST_REASONS = 10
/** What we sent ourselves has the user IDs that came from Refiner: it says nothing of Segment's. */
const OWN = 'refiner-sync itself sent it to Segment'
/** The worst comes first: an item is counted by it. */
const WORST_FIRST = ['dead', 'pending', 'skipped', 'delivered'] as const

type Outcome = SampleFacts['outcomes'][number]

/** The newest items of one tenant, as far as they tell how it fares. IDs of users stay inside. */
export class TenantSample {
  readonly #sources = { refiner_webhook: new SourceSample(), segment: new SourceSample() }
  /** IDs that both sides were found to know. */
  readonly #shared = new Set<string>()

  /** @param now in ms since 1970 */
  constructor(private readonly now: number) {}

  /** Takes the next item, newest first. */
  take(store: Store, item: RecentItem): void {
    const sample = this.#sources[item.source]
    sample.arrived(item, this.now)
    if (item.state !== 'mapped') return
    const wantsId = sample.ids.size < MOST_IDS && sample.lookedFor < 2 * MOST_IDS
    if (!wantsId && sample.items >= MOST_OUTCOMES) return
    const outcomes = outcomesOf(store, { inboxId: item.id })
    if (sample.items < MOST_OUTCOMES) sample.became(outcomes)
    if (!wantsId || outcomes.some(({ reason }) => reason === OWN)) return
    sample.lookedFor += 1
    const userId = userIdOf(store, { id: item.id })[0]?.userId ?? null
    if (userId === null || userId === '' || sample.ids.has(userId)) return
    sample.ids.add(userId)
    const known = knownOnSides(store, { tenant: item.tenant, userId })[0]!
    if (item.source === 'segment' ? known.refiner === 1 : known.segment === 1) this.#shared.add(userId)
  }

  source(source: Source, stored: { readonly ever: boolean; readonly newest: number | null }): SourceFacts {
    return this.#sources[source].facts(stored)
  }

  /** @param hasManyEvents whether Refiner's IDs were compared with all whom Segment sent events of */
  userIds(hasManyEvents: boolean): UserIdFacts {
    const { refiner_webhook: refiner, segment } = this.#sources
    const loose = new Set([...segment.ids].map((id) => looseId(id)))
    const shared = new Set([...this.#shared, ...refiner.ids.intersection(segment.ids)])
    return {
      refiner: shapesOf(refiner.ids),
      segment: shapesOf(segment.ids),
      shared: shared.size,
      complete: hasManyEvents || segment.ids.size < MOST_IDS,
      shared_loosely: [...refiner.ids].filter((id) => shared.has(id) || loose.has(looseId(id))).length,
    }
  }
}

class SourceSample {
  readonly ids = new Set<string>()
  items = 0
  lookedFor = 0
  readonly #arrivals = new Map<Origin, { last: number; week: number }>()
  readonly #outcomes = new Map<string, { -readonly [Name in keyof Outcome]: Outcome[Name] }>()
  readonly #notes = new Map<string, number>()

  arrived({ origin, receivedAt }: RecentItem, now: number): void {
    const known = this.#arrivals.get(origin) ?? { last: receivedAt, week: 0 }
    if (receivedAt > now - WEEK_MS) known.week += 1
    known.last = Math.max(known.last, receivedAt)
    this.#arrivals.set(origin, known)
  }

  became(deliveries: ReturnType<typeof outcomesOf>): void {
    const states = deliveries.map(({ state, reason }) => ({
      state: state === 'leased' ? 'pending' : state,
      reason,
    }))
    const worst = WORST_FIRST.find((one) => states.some(({ state }) => state === one))
    if (worst === undefined) return
    this.items += 1
    const reason =
      worst === 'delivered' ? null : (states.find(({ state }) => state === worst)?.reason ?? null)
    const key = `${worst} ${reason ?? ''}`
    const known = this.#outcomes.get(key)
    if (known === undefined) this.#outcomes.set(key, { state: worst, reason, items: 1 })
    else known.items += 1
    const noted = deliveries.find(({ notes }) => notes !== null)?.notes ?? null
    if (noted !== null) this.#notes.set(noted, (this.#notes.get(noted) ?? 0) + 1)
  }

  facts({ ever, newest }: { readonly ever: boolean; readonly newest: number | null }): SourceFacts {
    const arrivals = (origin: Origin): ArrivalFacts => {
      const known = this.#arrivals.get(origin)
      // Older than all that was looked at: by what it came is not known, and matters little.
      const last = known?.last ?? (origin === 'webhook' && this.#arrivals.size === 0 ? newest : null)
      return { last: last === null ? null : new Date(last).toISOString(), last_7_days: known?.week ?? 0 }
    }
    return {
      ever,
      by_origin: { webhook: arrivals('webhook'), poll: arrivals('poll'), backfill: arrivals('backfill') },
      sample: {
        items: this.items,
        outcomes: mostFirst([...this.#outcomes.values()]),
        notes: mostFirst([...this.#notes].map(([text, items]) => ({ text, items }))),
      },
    }
  }
}

function mostFirst<T extends { readonly items: number }>(counted: readonly T[]): T[] {
  return counted.toSorted((a, b) => b.items - a.items).slice(0, MOST_REASONS)
}
