import type { BatchLimits, LeasedDelivery, Outcome, Sender, SendSignals } from '../contracts/delivery.ts'
import type { ClientParts } from './client-parts.ts'
import { postJson } from './http-post.ts'
import { judge, NOT_SENT } from './judge-answer.ts'
import { USER_AGENT } from './user-agent.ts'

/**
 * Segment's limits for one request are 500 KB and 2,500 messages; some bytes are left for what goes around them.
 * Source: https://segment.com/docs/connections/sources/catalog/libraries/server/http-api/#batch
 */
const LIMITS: BatchLimits = { messages: 2500, bytes: 499_000, concurrency: 4, together: 'all' }

/** Sends messages to Segment's Tracking API, many in a request. */
export class SegmentTracking implements Sender {
  readonly limits = LIMITS
  readonly #url: string
  readonly #host: string
  readonly #authorization: string

  constructor(private readonly parts: ClientParts) {
    this.#url = `${parts.endpoint}/batch`
    this.#host = new URL(this.#url).host
    this.#authorization = `Basic ${Buffer.from(`${parts.key}:`).toString('base64')}`
  }

  /** A batch that is refused is halved until the message that Segment refuses stands alone. */
  async send(deliveries: readonly LeasedDelivery[], signals: SendSignals): Promise<readonly Outcome[]> {
    const outcome = await this.#post(deliveries, signals.aborting)
    if (outcome.kind !== 'rejected' || deliveries.length === 1) return deliveries.map(() => outcome)
    const middle = Math.ceil(deliveries.length / 2)
    const first = await this.#sendHalf(deliveries.slice(0, middle), signals)
    // What comes later must not overtake what has to be sent again.
    const held = first.find(({ kind }) => kind !== 'delivered' && kind !== 'rejected')
    const rest = deliveries.slice(middle)
    return [...first, ...(held === undefined ? await this.#sendHalf(rest, signals) : rest.map(() => held))]
  }

  /** A request more than the lane has taken a place for. */
  async #sendHalf(half: readonly LeasedDelivery[], signals: SendSignals): Promise<readonly Outcome[]> {
    const mayGo = await this.parts.turn(signals.stopping)
    return mayGo ? this.send(half, signals) : half.map(() => NOT_SENT)
  }

  async #post(deliveries: readonly LeasedDelivery[], aborting: AbortSignal): Promise<Outcome> {
    const { fetch, clock, timeoutMs } = this.parts
    const batch = deliveries.map(({ payload }) => payload).join(',')
    const body = `{"batch":[${batch}],"sentAt":"${new Date(clock.now()).toISOString()}"}`
    const request = {
      url: this.#url,
      authorization: this.#authorization,
      body,
      timeoutMs,
      userAgent: USER_AGENT,
    }
    return judge(await postJson(fetch, request, aborting), this.#host, clock.now())
  }
}
