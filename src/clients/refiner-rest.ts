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
import { judge } from './judge-answer.ts'
import { USER_AGENT } from './user-agent.ts'

/** Refiner takes one user a request; different users go side by side. */
const LIMITS: BatchLimits = { messages: 1, bytes: Infinity, concurrency: 8 }

/** Calls Refiner's REST API (https://refiner.io/docs/api/). */
export class RefinerRest implements Sender {
  readonly limits = LIMITS
  readonly #host: string

  constructor(private readonly parts: ClientParts) {
    this.#host = new URL(parts.endpoint).host
  }

  async send(deliveries: readonly LeasedDelivery[], signals: SendSignals): Promise<readonly Outcome[]> {
    const outcomes: Outcome[] = []
    for (const delivery of deliveries) outcomes.push(await this.#call(delivery, signals.aborting))
    return outcomes
  }

  async #call({ call, payload }: LeasedDelivery, aborting: AbortSignal): Promise<Outcome> {
    const { endpoint, key, fetch, clock, timeoutMs } = this.parts
    const path = pathOf(call)
    if (path === null) {
      return { kind: 'rejected', reason: `Refiner has no call for ${call}`, status: null, answer: null }
    }
    const request = {
      url: `${endpoint}/${path}`,
      authorization: `Bearer ${key}`,
      body: payload,
      timeoutMs,
      userAgent: USER_AGENT,
    }
    return judge(await postJson(fetch, request, aborting), this.#host, clock.now())
  }
}

function pathOf(call: DeliveryCall): string | null {
  switch (call) {
    case 'identify':
    case 'group':
      return 'identify-user'
    case 'track':
      return 'track-event'
    case 'delete':
    case 'all':
      return null
  }
}
