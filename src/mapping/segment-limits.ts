import type { JsonObject, JsonValue } from '../contracts/json.ts'

/**
 * Segment answers 200 to messages that it then drops, so what it would drop is found here.
 * Source: https://segment.com/docs/connections/sources/catalog/libraries/server/http-api/
 */
const MOST_BYTES = 32 * 1024
const LONGEST_MESSAGE_ID = 99

/** The limit or required field that the message misses, in words; null when Segment takes it. `json` is its text. */
export function brokenLimit(message: JsonObject, json: string): string | null {
  if (missing(message['userId']) && missing(message['anonymousId'])) {
    return 'Segment needs a userId or an anonymousId'
  }
  if (message['type'] === 'track' && missing(message['event']))
    return 'Segment needs an event name on a track'
  if (message['type'] === 'group' && missing(message['groupId'])) return 'Segment needs a groupId on a group'
  const id = message['messageId']
  if (typeof id !== 'string' || id.length > LONGEST_MESSAGE_ID) {
    return `Segment takes a messageId of under ${LONGEST_MESSAGE_ID + 1} characters`
  }
  // No sign takes more than three bytes in UTF-8. What fits into 32 KB has never the 10,000 properties that are the most.
  if (json.length * 3 <= MOST_BYTES) return null
  const bytes = Buffer.byteLength(json)
  if (bytes <= MOST_BYTES) return null
  return `Segment takes 32 KB per message (${MOST_BYTES} bytes); this one has ${bytes}`
}

function missing(value: JsonValue | undefined): boolean {
  return typeof value !== 'string' || value === ''
}
