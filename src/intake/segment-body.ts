import type { JsonObject } from '../contracts/json.ts'
import type { SegmentMessage } from '../contracts/segment-message.ts'
import { Refusal } from './refusal.ts'
import { canonicalFields, hasField } from './segment-fields.ts'
import { type MessageDefaults, NO_DEFAULTS, readMessage } from './segment-message.ts'

/** What a request's body holds: the messages to keep, and those that cannot be, by their place in it. */
export interface SegmentBody {
  readonly messages: readonly SegmentMessage[]
  readonly refused: readonly { readonly index: number; readonly refusal: Refusal }[]
}

/** Reads one message, an array of them, or `{"batch": […]}`. `type` is the one that the route names, if it does. */
export function readSegmentBody(
  body: unknown,
  type: string | null,
  takesPages: boolean,
): SegmentBody | Refusal {
  const found = findMessages(body, type)
  if (found instanceof Refusal) return found
  const messages: SegmentMessage[] = []
  const refused: { index: number; refusal: Refusal }[] = []
  found.items.forEach((item, index) => {
    const message = readMessage(item, found.defaults, takesPages)
    if (message instanceof Refusal) refused.push({ index, refusal: message })
    else messages.push(message)
  })
  return { messages, refused }
}

function findMessages(
  body: unknown,
  type: string | null,
): { items: readonly unknown[]; defaults: MessageDefaults } | Refusal {
  const defaults = { ...NO_DEFAULTS, type }
  if (Array.isArray(body)) return listed(body, defaults)
  if (typeof body !== 'object' || body === null) {
    return new Refusal(
      400,
      'the body must be a JSON object: a message, an array of messages or {"batch": […]}',
    )
  }
  if (!hasField(body as JsonObject, 'batch')) return { items: [body], defaults }
  const { batch, context, integrations } = canonicalFields(body as JsonObject)
  if (!Array.isArray(batch)) return new Refusal(400, '"batch" must be an array of messages')
  return listed(batch, { type, context: object(context), integrations: object(integrations) })
}

function listed(items: readonly unknown[], defaults: MessageDefaults) {
  return items.length === 0 ? new Refusal(400, 'the batch holds no message') : { items, defaults }
}

function object(value: unknown): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {}
}

/** The write key in a body, where SDKs put it that send no Authorization header. Null without one. */
export function writeKeyIn(bytes: Buffer): string | null {
  try {
    const { writeKey } = canonicalFields(object(JSON.parse(bytes.toString('utf8'))))
    return typeof writeKey === 'string' && writeKey !== '' ? writeKey : null
  } catch {
    return null
  }
}
