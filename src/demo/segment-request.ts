import type { PeerRequest } from './scripted-server.ts'
import { basicUser } from './presented-key.ts'

/**
 * How Segment's Tracking API reads a request, by its documentation of the HTTP API source: what it refuses, and what
 * it answers with 200 and then drops.
 */

const KB = 1024
const MAX_MESSAGE_BYTES = 32 * KB
const MAX_BATCH_BYTES = 500 * KB
const MAX_BATCH_MESSAGES = 2500

/** One call of the Segment spec, with `type` filled in from the route where the body has none. */
export type TrackingMessage = Readonly<Record<string, unknown>>

export type SegmentRequest =
  | {
      readonly ok: true
      /** Null when the request carries none. */
      readonly writeKey: string | null
      readonly messages: readonly TrackingMessage[]
      /** Why Segment drops the whole request despite its 200; null when it does not. */
      readonly dropped: string | null
    }
  | { readonly ok: false; readonly status: 400 | 404; readonly message: string }

const ROUTE = /^\/v1\/(identify|track|group|page|screen|alias|batch)$/

export function readSegmentRequest(request: PeerRequest): SegmentRequest {
  const route = ROUTE.exec(request.path)?.[1]
  if (request.method !== 'POST' || route === undefined) return refused(404, 'not found')
  if (!isObject(request.body)) return refused(400, 'invalid JSON')
  return route === 'batch' ? readBatch(request, request.body) : readSingle(request, request.body, route)
}

/** Why Segment drops a message that it answered with 200, apart from copies; null when it keeps it. */
export function whyDropped(message: TrackingMessage): string | null {
  if (!isId(message.userId) && !isId(message.anonymousId)) return 'no userId and no anonymousId'
  if (message.type === 'track' && !isId(message.event)) return 'a track without an event'
  return null
}

function readSingle(request: PeerRequest, body: TrackingMessage, type: string): SegmentRequest {
  if (Buffer.byteLength(request.text) > MAX_MESSAGE_BYTES) return refused(400, 'message over 32 KB')
  const { writeKey, ...message } = body
  return {
    ok: true,
    writeKey: presentedKey(request, writeKey),
    messages: [{ ...message, type }],
    dropped: null,
  }
}

function readBatch(request: PeerRequest, body: TrackingMessage): SegmentRequest {
  if (Buffer.byteLength(request.text) > MAX_BATCH_BYTES) return refused(400, 'batch over 500 KB')
  const { batch } = body
  if (!Array.isArray(batch) || !batch.every(isObject))
    return refused(400, 'batch is not an array of messages')
  const oversized = batch.findIndex(
    (message) => Buffer.byteLength(JSON.stringify(message)) > MAX_MESSAGE_BYTES,
  )
  if (oversized >= 0) return refused(400, `batch[${oversized}]: message over 32 KB`)
  return {
    ok: true,
    writeKey: presentedKey(request, body.writeKey),
    messages: batch.map((message) => withShared(message, body)),
    dropped: batch.length > MAX_BATCH_MESSAGES ? `a batch of more than ${MAX_BATCH_MESSAGES} messages` : null,
  }
}

/** Merges the batch's own `context` and `integrations` into a message; the message's come first. */
function withShared(message: TrackingMessage, batch: TrackingMessage): TrackingMessage {
  return { ...message, ...merged('context', message, batch), ...merged('integrations', message, batch) }
}

function merged(field: string, message: TrackingMessage, batch: TrackingMessage): TrackingMessage {
  const shared = batch[field]
  if (!isObject(shared)) return {}
  const own = message[field]
  return { [field]: isObject(own) ? { ...shared, ...own } : shared }
}

function presentedKey(request: PeerRequest, inBody: unknown): string | null {
  return basicUser(request.headers) ?? (typeof inBody === 'string' ? inBody : null)
}

function refused(status: 400 | 404, message: string): SegmentRequest {
  return { ok: false, status, message }
}

function isObject(value: unknown): value is TrackingMessage {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isId(value: unknown): boolean {
  return (typeof value === 'string' && value !== '') || typeof value === 'number'
}
