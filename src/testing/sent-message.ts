import type { Destination, NewDelivery } from '../contracts/delivery.ts'
import type { JsonObject } from '../contracts/json.ts'

/** A message as it would be sent. */
export interface SentMessage {
  readonly destination: Destination
  /** The call of the Segment spec that it is, or that it came from. */
  readonly call: string
  /** For Segment with its `type`, for Refiner the body of the request. */
  readonly body: JsonObject
}

/** What deliveries send; those that are dead or skipped send nothing. */
export function sentMessages(deliveries: readonly NewDelivery[]): SentMessage[] {
  return deliveries.flatMap(({ destination, call, state, payload }) =>
    state === 'pending' && payload !== null
      ? [{ destination, call, body: JSON.parse(payload) as JsonObject }]
      : [],
  )
}

/** The message in few words, such as `track "NPS Submitted"`. */
export function titleOf({ call, body }: SentMessage): string {
  const { event } = body
  return typeof event === 'string' && call === 'track' ? `track ${JSON.stringify(event)}` : call
}
