import { sql } from 'kysely'
import { type ConditionArguments, type DeliveryConditions, fits } from './delivery-filter.ts'
import type { Store } from './open.ts'
import { rows } from './prepared.ts'

export interface ReplayFilter extends DeliveryConditions {
  readonly state: 'dead' | 'skipped'
}

/** So many IDs are looked at in one go. */
const LOOKED_AT_ONCE = 2000

/** The next deliveries that fit among 2,000 IDs, and where to go on; null at the end. */
export function candidatesOf(
  store: Store,
  { state, ...conditions }: ReplayFilter,
  after: number,
  until: number,
  limit: number,
): { readonly ids: readonly number[]; readonly place: number | null } {
  const { nextAbove, slice } = candidates[state]
  const low = nextAbove(store, { after, until })[0]?.id
  if (low === undefined) return { ids: [], place: null }
  const high = Math.min(low + LOOKED_AT_ONCE - 1, until)
  const ids = slice(store, { ...conditions, low, high, limit }).map(({ id }) => id)
  const place = ids.length === limit ? ids.at(-1)! : high
  return { ids, place: place < until ? place : null }
}

interface CandidateArguments extends ConditionArguments {
  readonly low: number
  readonly high: number
  readonly limit: number
}

const candidatesIn = (state: 'dead' | 'skipped') => ({
  nextAbove: rows<{ after: number; until: number }, { id: number }>((db, { after, until }) =>
    db
      .selectFrom('outbox')
      .select('id')
      .where('state', '=', state)
      .where('id', '>', after)
      .where('id', '<=', until)
      .orderBy('id')
      .limit(sql<number>`1`),
  ),
  slice: rows<CandidateArguments, { id: number }>((db, slice) =>
    db
      .selectFrom('outbox')
      .select('id')
      .where('state', '=', state)
      .where('id', '>=', slice.low)
      .where('id', '<=', slice.high)
      .where(fits(slice))
      .orderBy('id')
      .limit(slice.limit),
  ),
})

const candidates = { dead: candidatesIn('dead'), skipped: candidatesIn('skipped') }
