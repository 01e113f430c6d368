import type { Tenant } from '../contracts/configuration.ts'
import type { JsonObject } from '../contracts/json.ts'
import { privateMessage, privateWebhookText } from '../intake/privacy-lists.ts'
import { parseJson } from '../intake/read-body.ts'
import { Refusal } from '../intake/refusal.ts'
import { readSegmentBody } from '../intake/segment-body.ts'
import type { Item } from '../mapping/map-item.ts'

/** What intake would make of a request's body: what is kept of it, or why nothing is. */
export type ReadInput =
  | {
      readonly kind: 'taken'
      readonly items: readonly Item[]
      /** Messages of a batch that are refused while others are taken, by their place in it. */
      readonly refused: readonly { readonly index: number; readonly reason: string }[]
    }
  | { readonly kind: 'refused'; readonly reason: string }

/** A moment that is the same in every run: it stands in messages where the input itself does not say when. */
const RECEIVED_AT = Date.UTC(2025, 0, 1)

/**
 * Reads a body as the daemon would take it in for this tenant, keys and signatures aside: without what its `privacy` leaves out. Whether it comes from Refiner
 * or from Segment is told by what it looks like.
 */
export function readInput(text: string, tenant: Tenant, maxBodyBytes: number): ReadInput {
  const bytes = Buffer.from(text)
  if (bytes.length > maxBodyBytes) {
    return refused(`the body is larger than ${maxBodyBytes} bytes (server.max_body)`)
  }
  const json = parseJson(bytes)
  if (json instanceof Refusal) return refused(json.message)
  if (!tenant.enabled) return refused(`the tenant ${tenant.name} is switched off (enabled: false)`)
  switch (sourceOf(json.value)) {
    case 'refiner_webhook':
      if (!tenant.toSegment.enabled) return switchedOff('Refiner to Segment', tenant, 'to_segment')
      return {
        kind: 'taken',
        items: [item('refiner_webhook', 0, privateWebhookText(json, tenant.privacy))],
        refused: [],
      }
    case 'segment':
      if (!tenant.toRefiner.enabled) return switchedOff('Segment to Refiner', tenant, 'to_refiner')
      return readMessages(json.value, tenant)
    case null:
      return refused(UNKNOWN)
  }
}

/** An item as the inbox holds it. */
export function item(source: Item['source'], index: number, payload: string): Item {
  return { id: index + 1, source, payload, receivedAt: RECEIVED_AT }
}

const UNKNOWN =
  'this is neither a webhook of Refiner (a JSON object with triggered_event, form and response) nor a message of ' +
  'Segment (one with a type such as identify, group or track)'

const MESSAGE_TYPES = new Set(['identify', 'track', 'group', 'page', 'screen', 'alias', 'delete'])
/** Only webhooks have one of these. */
const OF_WEBHOOKS = ['triggered_event', 'response', 'form']
/** Some webhooks have no more than one of these; a message of Segment may have them, too. */
const ALSO_OF_WEBHOOKS = ['remote_id', 'uuid', 'segments']

function sourceOf(body: unknown): Item['source'] | null {
  if (Array.isArray(body)) return 'segment'
  if (!isObject(body)) return null
  if (OF_WEBHOOKS.some((field) => Object.hasOwn(body, field))) return 'refiner_webhook'
  const fields = new Map(Object.entries(body).map(([name, value]) => [name.trim().toLowerCase(), value]))
  if (Array.isArray(fields.get('batch'))) return 'segment'
  const type = fields.get('type')
  if (typeof type === 'string' && MESSAGE_TYPES.has(type.trim().toLowerCase())) return 'segment'
  return ALSO_OF_WEBHOOKS.some((field) => Object.hasOwn(body, field)) ? 'refiner_webhook' : null
}

function readMessages(body: unknown, tenant: Tenant): ReadInput {
  const read = readSegmentBody(body, null, tenant.toRefiner.pages)
  if (read instanceof Refusal) return refused(read.message)
  const reasons = read.refused.map(({ index, refusal }) => ({ index, reason: refusal.message }))
  const [first] = reasons
  if (read.messages.length === 0 && first !== undefined) return refused(first.reason)
  const items = read.messages.map((message, index) =>
    item('segment', index, JSON.stringify(privateMessage(message, tenant.privacy))),
  )
  return { kind: 'taken', items, refused: reasons }
}

function switchedOff(direction: string, { name }: Tenant, key: string): ReadInput {
  return refused(`${direction} is switched off for tenant ${name} (${key}.enabled: false)`)
}

function refused(reason: string): ReadInput {
  return { kind: 'refused', reason }
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
