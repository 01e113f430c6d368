import { sql } from 'kysely'
import type { Clock } from '../contracts/clock.ts'
import type { Destination } from '../contracts/delivery.ts'
import type { Source } from '../contracts/inbox.ts'
import { type Group, unmappedByGroup } from './inbox.ts'
import type { Store } from './open.ts'
import { deadCounts, type LaneCounts, lastSkipped, skippedSince } from './outbox.ts'
import { rows } from './prepared.ts'

/** Up to so many are counted each time: some milliseconds. */
const COUNTED_AT_ONCE = 20_000
/** Beyond it they are gone through bit by bit, so many at a step, and a step each time that somebody asks. */
const STEP = 10_000
/** Other counts may take this part of the time. */
const PART_OF_TIME = 0.005

const DAY_MS = 86_400_000

/** What was not sent, on purpose. */
export interface Skipped {
  readonly lastDay: number
  /** In ms since 1970, and why: nothing of what was received. */
  readonly last: { readonly at: number; readonly reason: string } | null
}

type Unmapped = ReadonlyMap<string, { readonly open: number; readonly oldestOpen: number }>
type Open = Pick<LaneCounts, 'open' | 'oldestOpen'>

/** Where a walk through the open deliveries of a lane is. */
interface Walk {
  readonly userKey: string
  readonly inboxId: number
  readonly id: number
  readonly seen: number
  readonly first: number
  /** What the last whole walk found. */
  readonly last: Open
}

/**
 * How much waits. Little is counted anew each time. Of much, nothing that is asked for often may count it all: it would
 * hold up the thread that everything waits for. Then the numbers are those of a walk that may be some minutes old.
 */
export class Counts {
  readonly #kept = new Map<string, { readonly value: unknown; readonly until: number }>()
  readonly #walks = new Map<string, Walk>()

  constructor(
    private readonly store: Store,
    private readonly clock: Pick<Clock, 'elapsed'>,
  ) {}

  lane(tenant: string, destination: Destination): LaneCounts {
    const key = `${destination} ${tenant}`
    const dead = this.#recent(key, () => deadCounts(this.store, { tenant, destination })[0]!)
    const [few] = countFew(this.store, { tenant, destination, most: COUNTED_AT_ONCE })
    const isFew = few!.open < COUNTED_AT_ONCE
    if (isFew) this.#walks.delete(key)
    const open = isFew ? this.#withMoment(few!) : this.#walk(key, tenant, destination)
    return { ...open, ...dead }
  }

  /** What was not sent within a day, because a setting, a rule or a filter said no. `now` is in ms since 1970. */
  skipped(tenant: string, destination: Destination, now: number): Skipped {
    return this.#recent(`skipped ${destination} ${tenant}`, () => ({
      lastDay: skippedSince(this.store, { tenant, destination, since: now - DAY_MS })[0]!.count,
      last: lastSkipped(this.store, { tenant, destination })[0] ?? null,
    }))
  }

  /** What waits for the mapping, by tenant. */
  unmapped(): Unmapped {
    const byTenant = new Map<string, { open: number; oldestOpen: number }>()
    for (const { tenant, open, oldestOpen } of this.#groups()) {
      const before = byTenant.get(tenant) ?? { open: 0, oldestOpen: Infinity }
      byTenant.set(tenant, {
        open: before.open + open,
        oldestOpen: Math.min(before.oldestOpen, oldestOpen),
      })
    }
    return byTenant
  }

  /** All that came from there and waits for a tenant: items for the mapping, and deliveries. */
  pending(tenant: string, source: Source): number {
    const { open } = this.lane(tenant, source === 'segment' ? 'refiner' : 'segment')
    const group = this.#groups().find((one) => one.tenant === tenant && one.source === source)
    return open + (group?.open ?? 0)
  }

  #groups(): readonly (Group & { readonly open: number; readonly oldestOpen: number })[] {
    return this.#recent('', () => unmappedByGroup(this.store, {}))
  }

  /** Goes a step on; the first time, all the way. */
  #walk(key: string, tenant: string, destination: Destination): Open {
    let walk = this.#walks.get(key) ?? this.#wholeWalk(tenant, destination)
    const { userKey, inboxId, id } = walk
    const [step] = countStep(this.store, { tenant, destination, userKey, inboxId, id, limit: STEP })
    const [end] = endOfStep(this.store, { tenant, destination, userKey, inboxId, id, skip: STEP - 1 })
    const seen = walk.seen + step!.open
    const first = Math.min(walk.first, step!.first ?? Infinity)
    walk =
      end === undefined
        ? { ...BEGINNING, last: this.#withMoment({ open: seen, first }) }
        : { ...end, seen, first, last: walk.last }
    this.#walks.set(key, walk)
    return walk.last
  }

  #wholeWalk(tenant: string, destination: Destination): Walk {
    const [all] = countFew(this.store, { tenant, destination, most: Number.MAX_SAFE_INTEGER })
    return { ...BEGINNING, last: this.#withMoment(all!) }
  }

  #withMoment({ open, first }: { readonly open: number; readonly first: number | null }): Open {
    const moment = first === null || first === Infinity ? undefined : createdAt(this.store, { id: first })[0]
    return { open, oldestOpen: moment?.at ?? null }
  }

  /** A count is used again for two hundred times as long as it took. */
  #recent<T>(key: string, count: () => T): T {
    const start = this.clock.elapsed()
    const kept = this.#kept.get(key)
    if (kept !== undefined && kept.until > start) return kept.value as T
    const value = count()
    const end = this.clock.elapsed()
    // What took no time to speak of is not worth keeping.
    const until = end - start < 1 ? end : end + (end - start) / PART_OF_TIME
    this.#kept.set(key, { value, until })
    return value
  }
}

const BEGINNING = { userKey: '', inboxId: 0, id: 0, seen: 0, first: Infinity }

interface Counted {
  readonly open: number
  readonly first: number | null
}

const countFew = rows<{ tenant: string; destination: Destination; most: number }, Counted>(
  (db, { tenant, destination, most }) =>
    db
      .selectFrom((eb) =>
        eb
          .selectFrom('outbox')
          .select('id')
          .where('tenant', '=', tenant)
          .where('destination', '=', destination)
          .where('settled_at', 'is', null)
          .limit(most)
          .as('open'),
      )
      .select([sql<number>`count(*)`.as('open'), sql<number | null>`min(id)`.as('first')]),
)

interface From extends Record<string, string | number> {
  readonly tenant: string
  readonly destination: Destination
  readonly userKey: string
  readonly inboxId: number
  readonly id: number
}

const countStep = rows<From & { limit: number }, Counted>(
  (db, { tenant, destination, userKey, inboxId, id, limit }) =>
    db
      .selectFrom((eb) =>
        eb
          .selectFrom('outbox')
          .select('id')
          .where('tenant', '=', tenant)
          .where('destination', '=', destination)
          .where('settled_at', 'is', null)
          .where(sql<boolean>`(user_key, inbox_id, id) > (${userKey}, ${inboxId}, ${id})`)
          .orderBy('user_key')
          .orderBy('inbox_id')
          .orderBy('id')
          .limit(limit)
          .as('step'),
      )
      .select([sql<number>`count(*)`.as('open'), sql<number | null>`min(id)`.as('first')]),
)

const endOfStep = rows<From & { skip: number }, { userKey: string; inboxId: number; id: number }>(
  (db, { tenant, destination, userKey, inboxId, id, skip }) =>
    db
      .selectFrom('outbox')
      .select(['user_key as userKey', 'inbox_id as inboxId', 'id'])
      .where('tenant', '=', tenant)
      .where('destination', '=', destination)
      .where('settled_at', 'is', null)
      .where(sql<boolean>`(user_key, inbox_id, id) > (${userKey}, ${inboxId}, ${id})`)
      .orderBy('user_key')
      .orderBy('inbox_id')
      .orderBy('id')
      .limit(sql<number>`1`)
      .offset(skip),
)

const createdAt = rows<{ id: number }, { at: number }>((db, { id }) =>
  db.selectFrom('outbox').select('created_at as at').where('id', '=', id),
)
