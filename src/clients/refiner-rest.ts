import type {
  BatchLimits,
  DeliveryCall,
  LeasedDelivery,
  Outcome,
  Sender,
  SendSignals,
} from '../contracts/delivery.ts'
import type { ClientParts } from './client-parts.ts'
import { postJson } from './http-post.ts'
import { judge, NOT_SENT } from './judge-answer.ts'
import { mergeIdentifies } from './merge-identifies.ts'
import { USER_AGENT } from './user-agent.ts'

/**
 * Refiner takes one user a request; different users go side by side. Identifies of one user that wait together are made
 * into one call; the bounds keep that call small, and few the calls that are needed when it is refused.
 */
const LIMITS: BatchLimits = { messages: 50, bytes: 100_000, concurrency: 8, together: 'identifies' }

/** Calls Refiner's REST API (https://refiner.io/docs/api/). */
export class RefinerRest implements Sender {
  readonly limits = LIMITS
  readonly #host: string

  constructor(private readonly parts: ClientParts) {
    this.#host = new URL(parts.endpoint).host
  }

  /** Where one call for all of them is refused, they are sent one by one, so that only the offender is refused. */
  async send(deliveries: readonly LeasedDelivery[], signals: SendSignals): Promise<readonly Outcome[]> {
    const merged = deliveries.every(({ call }) => call === 'identify')
      ? mergeIdentifies(deliveries.map(({ payload }) => payload))
      : null
    if (merged === null) return this.#oneByOne(deliveries, signals, false)
    const outcome = await this.#post('identify', merged, signals.aborting)
    if (outcome.kind !== 'rejected' || deliveries.length === 1) return deliveries.map(() => outcome)
    return this.#oneByOne(deliveries, signals, true)
  }

  /** `isUsed`: the place in the rate that the lane took is used up. What comes later must not overtake what is held. */
  async #oneByOne(
    deliveries: readonly LeasedDelivery[],
    signals: SendSignals,
    isUsed: boolean,
  ): Promise<readonly Outcome[]> {
    const outcomes: Outcome[] = []
    for (const { call, payload } of deliveries) {
      const mayGo = (!isUsed && outcomes.length === 0) || (await this.parts.turn(signals.stopping))
      const outcome = mayGo ? await this.#post(call, payload, signals.aborting) : NOT_SENT
      outcomes.push(outcome)
      if (outcome.kind === 'delivered' || outcome.kind === 'rejected') continue
      return deliveries.map((_, index) => outcomes[index] ?? outcome)
    }
    return outcomes
  }

  async #post(call: DeliveryCall, payload: string, aborting: AbortSignal): Promise<Outcome> {
    const { endpoint, key, fetch, clock, timeoutMs } = this.parts
    if (call === 'delete') return this.#delete(payload, aborting)
    const path = pathOf(call)
    if (path === null) {
      return { kind: 'rejected', reason: `Refiner has no call for ${call}`, status: null, answer: null }
    }
    // Public clients name whom a DELETE is about in the query; the body says the same, for whoever reads that.
    const isDelete = call === 'unsync-segment'
    const request = {
      method: isDelete ? ('DELETE' as const) : ('POST' as const),
      url: `${endpoint}/${path}${isDelete ? `?${inQuery(payload)}` : ''}`,
      authorization: `Bearer ${key}`,
      body: payload,
      timeoutMs,
      userAgent: USER_AGENT,
    }
    const result = await postJson(fetch, request, aborting)
    const outcome = judge(result, this.#host, clock.now())
    // That segment is not there: it is the message's fault, and must not hold up whatever else the user has.
    const isUnknown = path === 'sync-segment' && result.answered && result.status === 404
    if (isUnknown && isJsonObject(result.body) && outcome.kind === 'retry') {
      const { reason, status, answer } = outcome
      return { kind: 'rejected', reason, status, answer }
    }
    return outcome
  }

  /** Deletes a contact; `payload` names it by `id`, `uuid` or `email`. One that Refiner does not have is deleted. */
  async #delete(payload: string, aborting: AbortSignal): Promise<Outcome> {
    const { endpoint, key, fetch, clock, timeoutMs } = this.parts
    const request = {
      method: 'DELETE' as const,
      url: `${endpoint}/contact?${inQuery(payload)}`,
      authorization: `Bearer ${key}`,
      body: null,
      timeoutMs,
      userAgent: USER_AGENT,
    }
    const result = await postJson(fetch, request, aborting)
    // A web page, or nothing at all, would come of a wrong endpoint: Refiner itself answers in JSON.
    if (result.answered && result.status === 404 && isJsonObject(result.body)) return { kind: 'delivered' }
    const outcome = judge(result, this.#host, clock.now())
    // What it says may name the contact.
    return outcome.kind === 'delivered' ? outcome : { ...outcome, answer: null }
  }
}

/** A flat JSON object of texts, as the query of a URL. */
function inQuery(payload: string): string {
  return new URLSearchParams(JSON.parse(payload) as Record<string, string>).toString()
}

function isJsonObject(body: string): boolean {
  try {
    const value: unknown = JSON.parse(body)
    return typeof value === 'object' && value !== null
  } catch {
    return false
  }
}

function pathOf(call: DeliveryCall): string | null {
  switch (call) {
    case 'identify':
    case 'group':
      return 'identify-user'
    case 'track':
      return 'track-event'
    case 'sync-segment':
    case 'unsync-segment':
      return 'sync-segment'
    case 'delete':
    case 'all':
      return null
  }
}
