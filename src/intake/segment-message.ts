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

export const NO_DEFAULTS: MessageDefaults = { type: null, context: {}, integrations: {} }

/** Reads one message of the Segment spec in any casing, or says what it lacks. */
export function readMessage(
  raw: unknown,
  defaults: MessageDefaults,
  takesPages: boolean,
): SegmentMessage | Refusal {
  if (!isObject(raw)) return new Refusal(400, 'a message must be a JSON object')
  const { writeKey: _secret, ...fields } = canonicalFields(raw)
  const type = readType(defaults.type ?? fields['type'], takesPages)
  if (type instanceof Refusal) return type
  for (const name of ['traits', 'properties', 'context', 'integrations']) {
    const value = fields[name] ?? null
    if (value !== null && !isObject(value)) return new Refusal(400, `"${name}" must be a JSON object`)
    if (value === null) delete fields[name]
  }
  const ids = readIds(fields, type)
  if (ids instanceof Refusal) return ids
  const merged = {
    context: { ...defaults.context, ...(fields['context'] as JsonObject | undefined) },
    integrations: { ...defaults.integrations, ...(fields['integrations'] as JsonObject | undefined) },
  }
  return { ...fields, ...merged, type, ...ids, messageId: messageIdOf(raw, fields) }
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

type Ids = Pick<SegmentMessage, 'userId' | 'anonymousId' | 'groupId' | 'event' | 'name'>

function readIds(fields: JsonObject, type: MessageType): Ids | Refusal {
  const ids: { -readonly [Name in keyof Ids]?: string } = {}
  for (const name of ['userId', 'anonymousId', 'groupId', 'event', 'name'] as const) {
    const value = fields[name] ?? null
    const text = typeof value === 'number' ? String(value) : value
    if (text !== null && typeof text !== 'string') return new Refusal(400, `"${name}" must be a string`)
    if (text !== null && !isPlain(text))
      return new Refusal(400, `"${name}" must be text without NUL or broken characters`)
    delete fields[name]
    if (text !== null && text.trim() !== '') ids[name] = text
  }
  const { userId } = ids
  if (userId === undefined) {
    return new Refusal(
      400,
      `"userId" is missing: Refiner needs a user ID on every ${type} call; identify the user first`,
    )
  }
  if (type === 'group' && ids.groupId === undefined) {
    return new Refusal(400, '"groupId" is missing: a group call needs the ID of the account')
  }
  if (type === 'track' && ids.event === undefined) {
    return new Refusal(400, '"event" is missing: a track call needs the name of the event')
  }
  return { ...ids, userId }
}

/** SQLite compares texts up to a NUL, and a lone surrogate has no UTF-8: two IDs could become one. */
function isPlain(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0')
}

/**
 * The message's own ID, by which a copy is known. Without one, a message that says when it happened is known by its
 * content; one that does not is never taken for a copy.
 */
function messageIdOf(raw: JsonObject, { messageId, timestamp }: JsonObject): string {
  if (typeof messageId === 'string' && messageId !== '' && isPlain(messageId)) return messageId
  if (typeof messageId === 'number') return String(messageId)
  if (typeof timestamp !== 'string') return randomUUID()
  return `content-${createHash('sha256').update(JSON.stringify(raw)).digest('hex')}`
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
