import type { JsonObject, JsonValue } from '../contracts/json.ts'

/**
 * Segment answers 200 to messages that it then drops, so what it would drop is found here.
 * Source: https://segment.com/docs/connections/sources/catalog/libraries/server/http-api/
 */
const MOST_BYTES = 32 * 1024
const MOST_PROPERTIES = 10_000
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
  const bytes = Buffer.byteLength(json)
  if (bytes > MOST_BYTES)
    return `Segment takes 32 KB per message (${MOST_BYTES} bytes); this one has ${bytes}`
  const count = properties(message['traits']) + properties(message['properties'])
  if (count > MOST_PROPERTIES)
    return `Segment takes ${MOST_PROPERTIES} properties per message; this one has ${count}`
  return null
}

function missing(value: JsonValue | undefined): boolean {
  return typeof value !== 'string' || value === ''
}

/** Nested ones count too. */
function properties(value: JsonValue | undefined): number {
  if (typeof value !== 'object' || value === null) return 0
  const nested = Object.values(value).reduce((sum: number, inner) => sum + properties(inner), 0)
  return nested + (Array.isArray(value) ? 0 : Object.keys(value).length)
}
