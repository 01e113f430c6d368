import type { NewDelivery } from '../contracts/delivery.ts'
import type { JsonObject } from '../contracts/json.ts'
import type { SegmentChange } from '../contracts/segments.ts'
import { ownMessageId } from './message-id.ts'
import { messageDelivery } from './segment-deliveries.ts'
import { type Message, OWN_FIELDS } from './segment-messages.ts'

/** What entering or leaving a segment becomes: a call of Refiner's, and messages for Segment. */
export function mapSegmentChange(change: SegmentChange): NewDelivery[] {
  const { key, userId, segment, entered, at, refinerSegment, trait, event } = change
  const deliveries: NewDelivery[] = []
  if (refinerSegment !== null) {
    deliveries.push({
      destination: 'refiner',
      call: entered ? 'sync-segment' : 'unsync-segment',
      userKey: userId,
      messageId: ownMessageId(key, 'sync', refinerSegment),
      payload: JSON.stringify({ id: userId, segment_uuid: refinerSegment }),
      state: 'pending',
      reason: null,
      detail: null,
      notes: null,
    })
  }
  const tell = (type: 'identify' | 'track', body: JsonObject) => {
    const messageId = ownMessageId(key, type, '')
    const message: Message = { type, messageId, userId, ...body, timestamp: at, ...OWN_FIELDS }
    deliveries.push(messageDelivery(message, null))
  }
  if (trait !== null) tell('identify', { traits: { [trait]: entered } })
  if (event !== null) tell('track', { event, properties: { segment } })
  return deliveries
}
