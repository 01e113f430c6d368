import type { Destination } from '../contracts/delivery.ts'
import type { DeliveryDetails, DeliveryFilter, DeliverySummary } from '../store/deliveries.ts'
import type { Replayed, ReplayedPart, ReplayFilter } from '../store/replay.ts'
import { json, refusal } from './answers.ts'

/** The deliveries, as far as the operator's API needs them. */
export interface Deliveries {
  /** The newest that fit, newest first. */
  list(filter: DeliveryFilter): readonly DeliverySummary[]
  /** Null when there is none of that ID. */
  find(id: number): DeliveryDetails | null
  replay(id: number): Replayed
  /** Replays the first that fit, in order of arrival. */
  replayMatching(filter: ReplayFilter): ReplayedPart
  /** The highest ID so far. */
  newestId(): number
}

const STATES = ['pending', 'leased', 'delivered', 'dead', 'skipped'] as const
const REPLAYABLE = ['dead', 'skipped'] as const
const DESTINATIONS = ['segment', 'refiner'] as const
const USUAL_LIMIT = 100
const HIGHEST_LIMIT = 500

/** GET /api/deliveries?state=&tenant=&destination=&limit= */
export function listDeliveries(deliveries: Deliveries, query: URLSearchParams): Response {
  const unknown = unknownIn(query, ['state', 'tenant', 'destination', 'limit'])
  if (unknown !== null) return refusal(400, unknown)
  const state = oneOf(query, 'state', STATES)
  const destination = oneOf(query, 'destination', DESTINATIONS)
  if (state === undefined) return refusal(400, `state is one of ${STATES.join(', ')}`)
  if (destination === undefined) return refusal(400, `destination is one of ${DESTINATIONS.join(', ')}`)
  const filter = { state, destination, tenant: query.get('tenant'), limit: limitOf(query) }
  return json(deliveries.list(filter).map(summary))
}

/** GET /api/deliveries/:id, with what the delivery says and what it was made of. */
export function showDelivery(deliveries: Deliveries, id: string): Response {
  const number = idOf(id)
  const found = number === null ? null : deliveries.find(number)
  return found === null ? noSuch(id) : json(details(found))
}

/** POST /api/deliveries/:id/replay */
export function replayDelivery(deliveries: Deliveries, id: string): Response {
  const number = idOf(id)
  if (number === null) return noSuch(id)
  const replayed = deliveries.replay(number)
  switch (replayed.kind) {
    case 'resent':
    case 'remapped':
      return json({ id: number, replayed: replayed.kind })
    case 'unknown':
      return noSuch(id)
    case 'orphaned':
      return refusal(409, `delivery ${id} is of ${replayed.tenant}, which is not in the configuration`)
    case 'refused': {
      const state = replayed.state === 'leased' ? 'pending' : replayed.state
      return refusal(409, `delivery ${id} is ${state}; only dead and skipped ones can be replayed`)
    }
  }
}

/**
 * POST /api/deliveries/replay?state=&tenant=&destination=&reason=&after=&until=: a part of those that fit, in order of
 * arrival. While `more` is true, the same again with the `after` and `until` of the answer goes on. A filter that is not
 * known is refused: without it more would be replayed than was meant.
 */
export function replayDeliveries(deliveries: Deliveries, query: URLSearchParams): Response {
  const unknown = unknownIn(query, ['state', 'tenant', 'destination', 'reason', 'after', 'until'])
  if (unknown !== null) return refusal(400, unknown)
  const state = oneOf(query, 'state', REPLAYABLE)
  const destination = oneOf(query, 'destination', DESTINATIONS)
  if (!state) return refusal(400, `name a state: ${REPLAYABLE.join(' or ')}`)
  if (destination === undefined) return refusal(400, `destination is one of ${DESTINATIONS.join(', ')}`)
  const after = idOf(query.get('after') ?? '0')
  const until = idOf(query.get('until') ?? String(deliveries.newestId()))
  if (after === null || until === null) return refusal(400, 'after and until are IDs of deliveries')
  const rest = { tenant: query.get('tenant'), reason: query.get('reason'), destination, after, until }
  const { done, last } = deliveries.replayMatching({ state, ...rest })
  const count = (kind: Replayed['kind']) => done.filter(({ replayed }) => replayed.kind === kind).length
  return json({
    resent: count('resent'),
    remapped: count('remapped'),
    orphaned: count('orphaned'),
    more: last !== null,
    after: last ?? until,
    until,
  })
}

/** Digits only: `Number` takes '0x10' and '1e3' too, which nobody means. */
function idOf(text: string): number | null {
  return /^\d{1,15}$/.test(text) ? Number(text) : null
}

/** What is wrong with the names of the parameters; null when each is known and given once. */
function unknownIn(query: URLSearchParams, names: readonly string[]): string | null {
  const given = [...query.keys()]
  if (given.every((name, index) => names.includes(name) && given.indexOf(name) === index)) return null
  return `each parameter is one of ${names.join(', ')}, and given once`
}

/** Null when it is not given; undefined when it is something else. */
function oneOf<T extends string>(
  query: URLSearchParams,
  name: string,
  values: readonly T[],
): T | null | undefined {
  const value = query.get(name)
  return value === null ? null : values.find((one) => one === value)
}

function limitOf(query: URLSearchParams): number {
  const limit = Number(query.get('limit') ?? USUAL_LIMIT)
  return Number.isInteger(limit) && limit > 0 ? Math.min(limit, HIGHEST_LIMIT) : USUAL_LIMIT
}

function noSuch(id: string): Response {
  return refusal(404, `there is no delivery ${id.slice(0, 20)}`)
}

/** As the API shows a delivery: snake case, moments in ISO 8601. */
export interface ShownDelivery {
  readonly id: number
  readonly tenant: string
  readonly destination: Destination
  readonly call: string
  readonly state: string
  readonly reason: string | null
  readonly notes: string | null
  readonly attempts: number
  readonly created_at: string
  readonly settled_at: string | null
}

export interface ShownDetails extends ShownDelivery {
  readonly detail: string | null
  readonly answer: string | null
  readonly not_before: string
  readonly message_id: string
  readonly message: unknown
  readonly input: {
    readonly id: number
    readonly source: string
    readonly received_at: string
    readonly replays: number
    readonly body: unknown
  }
}

function summary(delivery: DeliverySummary): ShownDelivery {
  const { id, tenant, destination, call, state, reason, notes, attempts, createdAt, settledAt } = delivery
  return {
    id,
    tenant,
    destination,
    call,
    state,
    reason,
    notes,
    attempts,
    created_at: iso(createdAt),
    settled_at: settledAt === null ? null : iso(settledAt),
  }
}

function details(delivery: DeliveryDetails): ShownDetails {
  return {
    ...summary(delivery),
    detail: delivery.detail,
    answer: delivery.answer,
    not_before: iso(delivery.notBefore),
    message_id: delivery.messageId,
    message: delivery.payload === null ? null : JSON.parse(delivery.payload),
    input: {
      id: delivery.inboxId,
      source: delivery.source,
      received_at: iso(delivery.receivedAt),
      replays: delivery.replays,
      body: JSON.parse(delivery.input),
    },
  }
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}
