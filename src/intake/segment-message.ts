import { createHash, randomUUID } from 'node:crypto'
import type { JsonObject, JsonValue } from '../contracts/json.ts'
import type { MessageType, SegmentMessage } from '../contracts/segment-message.ts'
import { Refusal } from './refusal.ts'
import { canonicalFields } from './segment-fields.ts'

/** What a request says of all its messages. */
export interface MessageDefaults {
  /** The type that the route names; null where each message names its own. */
  readonly type: string | null
  /** Merged under each message's own, as the Tracking API's batch does. */
  readonly context: JsonObject
  readonly integrations: JsonObject
}

const NOTHING: JsonObject = {}
export const NO_DEFAULTS: MessageDefaults = { type: null, context: NOTHING, integrations: NOTHING }

/** Reads one message of the Segment spec in any casing, or says what it lacks. */
export function readMessage(
  raw: unknown,
  defaults: MessageDefaults,
  takesPages: boolean,
): SegmentMessage | Refusal {
  if (!isObject(raw)) return new Refusal(400, 'a message must be a JSON object')
  const fields = canonicalFields(raw)
  if (fields['writeKey'] !== undefined) delete fields['writeKey']
  const type = readType(defaults.type ?? fields['type'], takesPages)
  if (type instanceof Refusal) return type
  for (const name of OBJECTS) {
    const value = fields[name]
    if (value === undefined) continue
    if (value === null) delete fields[name]
    else if (!isObject(value)) return new Refusal(400, `"${name}" must be a JSON object`)
  }
  const refusal = readIds(fields, type)
  if (refusal !== null) return refusal
  fields['messageId'] = messageIdOf(raw, fields, type, defaults)
  fields['type'] = type
  fields['context'] = merged(defaults.context, fields['context'])
  fields['integrations'] = merged(defaults.integrations, fields['integrations'])
  return fields as unknown as SegmentMessage
}

const OBJECTS = ['traits', 'properties', 'context', 'integrations'] as const
const IDS = ['userId', 'anonymousId', 'groupId', 'event', 'name'] as const

/** What a message says itself, over what its batch says of all. */
function merged(under: JsonObject, own: JsonValue | undefined): JsonObject {
  return own === undefined
    ? under
    : under === NOTHING
      ? (own as JsonObject)
      : { ...under, ...(own as JsonObject) }
}

function readType(value: JsonValue | undefined, takesPages: boolean): MessageType | Refusal {
  if (typeof value !== 'string' || value.trim() === '') {
    return new Refusal(400, '"type" is missing: send identify, group or track')
  }
  const type = value.trim().toLowerCase()
  switch (type) {
    case 'identify':
    case 'group':
    case 'track':
    case 'delete':
      return type
    case 'page':
    case 'screen':
      if (takesPages) return type
      return new Refusal(
        501,
        `${type} calls are not supported: Refiner takes identify, group and track. Turn ${type} off for this ` +
          'destination, or set to_refiner.pages in refiner-sync.yaml to take them as events',
      )
    default:
      return new Refusal(501, 'this message type is not supported: Refiner takes identify, group and track')
  }
}

/** Makes the fields' IDs and names text, without those that are empty; or says what the type lacks. */
function readIds(fields: JsonObject, type: MessageType): Refusal | null {
  for (const name of IDS) {
    const value = fields[name]
    if (value === undefined) continue
    const text = typeof value === 'number' ? String(value) : value
    if (text !== null && typeof text !== 'string') return new Refusal(400, `"${name}" must be a string`)
    if (text !== null && !isPlain(text))
      return new Refusal(400, `"${name}" must be text without NUL or broken characters`)
    if (text === null || text.trim() === '') delete fields[name]
    else fields[name] = text
  }
  if (fields['userId'] === undefined) {
    return new Refusal(
      400,
      `"userId" is missing: Refiner needs a user ID on every ${type} call; identify the user first`,
    )
  }
  if (type === 'group' && fields['groupId'] === undefined) {
    return new Refusal(400, '"groupId" is missing: a group call needs the ID of the account')
  }
  if (type === 'track' && fields['event'] === undefined) {
    return new Refusal(400, '"event" is missing: a track call needs the name of the event')
  }
  return null
}

/** SQLite compares texts up to a NUL, and a lone surrogate has no UTF-8: two IDs could become one. */
function isPlain(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0')
}

/**
 * The message's own ID, by which a copy is known. Without one, a message that says when it happened is known by its
 * content; one that does not is never taken for a copy.
 */
function messageIdOf(
  raw: JsonObject,
  { messageId, timestamp }: JsonObject,
  type: MessageType,
  { context, integrations }: MessageDefaults,
): string {
  if (typeof messageId === 'string' && messageId !== '' && isPlain(messageId)) return messageId
  if (typeof messageId === 'number') return String(messageId)
  if (typeof timestamp !== 'string') return randomUUID()
  const content = JSON.stringify([type, raw, context, integrations])
  return `content-${createHash('sha256').update(content).digest('hex')}`
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
