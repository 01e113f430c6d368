import type { InteractionKind } from '../contracts/configuration.ts'
import type { Interaction, ResponseTimestamp } from '../contracts/interaction.ts'
import type { JsonObject, JsonValue } from '../contracts/json.ts'
import { withoutNulls } from '../json/objects.ts'
import { parseExact } from '../json/parse-exact.ts'
import { identifier, text } from '../json/texts.ts'
import { isoTimestamp } from '../json/timestamps.ts'

/**
 * Reads a webhook body of Refiner. Every field may be missing, null or of a neighbouring type (a number where a string
 * is documented): what can be read is read, so that an answer is never lost to a detail beside it.
 * Answers a reason when the body does not tell what happened.
 */
export function readRefinerWebhook(
  payload: string,
  receivedAt: number,
): Interaction | { readonly unreadable: string } {
  const body = object(parseExact(payload) as JsonValue)
  const form = object(body['form'])
  const response = object(body['response'])
  const account = object(body['account'])
  const timestamps: Record<ResponseTimestamp, string | null> = {
    first_shown_at: isoTimestamp(response['first_shown_at']),
    last_shown_at: isoTimestamp(response['last_shown_at']),
    first_data_reception_at: isoTimestamp(response['first_data_reception_at']),
    last_data_reception_at: isoTimestamp(response['last_data_reception_at']),
    completed_at: isoTimestamp(response['completed_at']),
    dismissed_at: isoTimestamp(response['dismissed_at']),
    received_at: isoTimestamp(response['received_at']),
  }
  const kind = interactionKind(body['triggered_event'], timestamps)
  if (kind === null) return { unreadable: 'its triggered_event is none that is known' }
  const moment = happened(kind, timestamps)
  return {
    kind,
    fingerprint: moment === null ? new Bun.CryptoHasher('sha256').update(payload).digest('hex') : null,
    occurredAt: moment ?? new Date(receivedAt).toISOString(),
    survey: { uuid: text(form['uuid']), name: text(form['name']) },
    response: {
      uuid: text(response['uuid']),
      timestamps,
      tags: Array.isArray(response['tags']) ? response['tags'] : null,
    },
    answers: withoutNulls(object(response['data'])),
    user: {
      uuid: identifier(body['uuid']) ?? identifier(body['cookie_uuid']),
      id: identifier(body['remote_id']),
      email: identifier(body['email']),
      attributes: withoutNulls(object(body['attributes'])),
    },
    account: {
      id: identifier(account['remote_id']),
      attributes: withoutNulls(object(account['attributes'])),
    },
    segments: enteredSegments(body).map((segment) => ({
      uuid: text(segment['uuid']),
      name: text(segment['name']),
    })),
    body,
  }
}

/** Refiner words its triggers `Completed Survey`, `Saw Survey` and so on; without one, the response tells. */
function interactionKind(
  trigger: JsonValue | undefined,
  timestamps: Record<ResponseTimestamp, string | null>,
): InteractionKind | null {
  const words = text(trigger)?.toLowerCase()
  if (words !== undefined) {
    if (/complet/.test(words)) return 'completed'
    if (/dismiss/.test(words)) return 'dismissed'
    if (/\b(saw|seen|shown|viewed)\b/.test(words)) return 'seen'
    if (/segment/.test(words)) return 'segment_entered'
    if (/\btag/.test(words)) return 'tag_added'
    return null
  }
  if (timestamps.completed_at !== null) return 'completed'
  if (timestamps.dismissed_at !== null) return 'dismissed'
  if (timestamps.last_shown_at !== null || timestamps.first_shown_at !== null) return 'seen'
  return null
}

function happened(kind: InteractionKind, at: Record<ResponseTimestamp, string | null>): string | null {
  switch (kind) {
    case 'completed':
      return at.completed_at ?? at.last_data_reception_at ?? at.received_at
    case 'seen':
      return at.last_shown_at ?? at.first_shown_at
    case 'dismissed':
      return at.dismissed_at ?? at.last_shown_at
    case 'segment_entered':
    case 'tag_added':
      return null
  }
}

/** The segment that was entered where the body names it, else all that the contact is in. */
function enteredSegments(body: JsonObject): JsonObject[] {
  const entered = object(body['segment'])
  if (Object.keys(entered).length > 0) return [entered]
  return Array.isArray(body['segments']) ? body['segments'].map(object) : []
}

function object(value: JsonValue | undefined): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {}
}
