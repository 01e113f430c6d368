import type { DeliveryDetails, DeliveryFilter, DeliverySummary, ListedPart } from '../store/deliveries.ts'
import type { Replayed, ReplayCount, ReplayedPart } from '../store/replay.ts'
import type { ReplayFilter } from '../store/replay-candidates.ts'
import type { ReplayRecord } from '../store/replays.ts'
import { json, refusal } from './answers.ts'
import { CONDITION_NAMES, conditionsOf, idOf, oneOf, unknownIn } from './query.ts'
import { details, summary } from './shown-delivery.ts'

/** The deliveries, as far as the operator's API needs them. Each call is some milliseconds of work at most. */
export interface Deliveries {
  /** In ms since 1970. */
  now(): number
  /** Lets everything else have its turn, before it is gone on with something long. */
  rest(): Promise<void>
  /** Some of those that fit, newest first. */
  listPart(filter: DeliveryFilter): ListedPart
  /** Null when there is none of that ID. */
  find(id: number): DeliveryDetails | null
  /** What `replay` would come to. */
  plan(id: number, remap: boolean): Replayed
  replay(id: number, how: HowToReplay): Replayed
  /** Counts some of what a replay would meet, behind that ID. */
  countPart(filter: ReplayFilter, place: number, remap: boolean): ReplayCount
  /** Begins the record of a replay; answers its ID. */
  beginReplay(filter: ReplayFilter, how: HowToReplay): number
  /** Replays the next of them; null when there is no replay of that ID. */
  continueReplay(id: number): ReplayedPart | null
  /** The newest, newest first. */
  replays(limit: number): readonly ReplayRecord[]
}

export interface HowToReplay {
  readonly by: string
  /** Map the stored input anew, whatever became of it. */
  readonly remap: boolean
}

const STATES = ['pending', 'leased', 'delivered', 'dead', 'skipped'] as const
const USUAL_LIMIT = 100
const HIGHEST_LIMIT = 500

/** So many IDs are looked through for one list; a header of the answer says where to go on. */
const MOST_LOOKED_AT = 200_000

/**
 * GET /api/deliveries?state=&tenant=&destination=&user=&survey=&error=&since=&until=&before=&limit=, newest first. Where
 * it stopped before the oldest, the header `x-next-before` has the ID to go on `before`.
 */
export async function listDeliveries(
  deliveries: Deliveries,
  query: URLSearchParams,
  isStopping: () => boolean,
): Promise<Response> {
  const unknown = unknownIn(query, ['state', ...CONDITION_NAMES, 'before', 'limit'])
  if (unknown !== null) return refusal(400, unknown)
  const state = oneOf(query, 'state', STATES)
  if (state === undefined) return refusal(400, `state is one of ${STATES.join(', ')}`)
  const conditions = conditionsOf(query, deliveries.now())
  if (typeof conditions === 'string') return refusal(400, conditions)
  const start = query.get('before')
  let before = start === null ? null : idOf(start)
  if (start !== null && before === null) return refusal(400, 'before is the ID of a delivery')
  const limit = limitOf(query)
  const found: DeliverySummary[] = []
  for (let looked = 0; looked < MOST_LOOKED_AT && found.length < limit; await deliveries.rest()) {
    if (isStopping()) return refusal(503, 'refiner-sync is stopping')
    const part = deliveries.listPart({ ...conditions, state, before, limit: limit - found.length })
    found.push(...part.deliveries)
    looked += part.looked
    before = part.before
    if (before === null) break
  }
  return json(found.map(summary), 200, before === null ? {} : { 'x-next-before': String(before) })
}

/** GET /api/deliveries/:id, with what the delivery says, how it fared, and what it was made of. */
export function showDelivery(deliveries: Deliveries, id: string): Response {
  const number = idOf(id)
  const found = number === null ? null : deliveries.find(number)
  return found === null ? noSuch(id) : json(details(found))
}

export function noSuch(id: string): Response {
  return refusal(404, `there is no delivery ${id.slice(0, 20)}`)
}

function limitOf(query: URLSearchParams): number {
  const limit = Number(query.get('limit') ?? USUAL_LIMIT)
  return Number.isInteger(limit) && limit > 0 ? Math.min(limit, HIGHEST_LIMIT) : USUAL_LIMIT
}
