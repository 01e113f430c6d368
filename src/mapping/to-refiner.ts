import type { Call, Tenant } from '../contracts/configuration.ts'
import type { NewDelivery } from '../contracts/delivery.ts'
import type { JsonObject, JsonValue } from '../contracts/json.ts'
import type { SegmentMessage } from '../contracts/segment-message.ts'
import { flatten } from './flatten.ts'
import { OWN_MESSAGE_ID } from './message-id.ts'
import { passes } from './name-filter.ts'

/**
 * Parameters of Refiner's API that are no traits; a trait of that name would change whom or which account the call
 * speaks of. It goes under `traits_<name>` instead.
 */
const USER_PARAMETERS = ['id', 'account', 'api_key']
const ACCOUNT_PARAMETERS = ['id']

/** What a Segment message becomes for Refiner: one call of its REST API, or a reason why there is none. */
export function toRefiner(message: SegmentMessage, tenant: Tenant): NewDelivery {
  const { toRefiner: settings } = tenant
  if (isOwn(message)) return skipped(message, 'refiner-sync itself sent it to Segment')
  switch (message.type) {
    case 'identify':
      return settings.calls.has('identify')
        ? pending(message, 'identify', { id: message.userId, ...userTraits(message) })
        : notCalled(message)
    case 'group':
      return settings.calls.has('group')
        ? pending(message, 'group', { id: message.userId, account: account(message) })
        : notCalled(message)
    case 'track':
    case 'page':
    case 'screen': {
      if (!settings.calls.has('track')) return notCalled(message)
      const event = eventName(message)
      if (!passes(settings.events, [event])) {
        return skipped(message, 'the event is left out by to_refiner.events')
      }
      return pending(message, 'track', { id: message.userId, event })
    }
    case 'delete':
      return skipped(message, 'deletions are kept, but not acted upon in this version')
  }
}

/** Whether this is a message of ours that Segment sends back. */
export function isOwn({ messageId, context }: SegmentMessage): boolean {
  return OWN_MESSAGE_ID.test(messageId) || namesUs(context?.['integration']) || namesUs(context?.['library'])
}

/** Under which name a track, page or screen counts as an event; Segment names page events like this elsewhere. */
export function eventName({ type, event, name }: SegmentMessage): string {
  if (type === 'page') return name === undefined ? 'Viewed Page' : `Viewed ${name} Page`
  if (type === 'screen') return name === undefined ? 'Viewed Screen' : `Viewed ${name} Screen`
  return event ?? ''
}

function namesUs(value: JsonValue | undefined): boolean {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && value['name'] === 'refiner-sync'
  )
}

function userTraits({ userId, traits = {} }: SegmentMessage): JsonObject {
  const { id, ...others } = flatten(traits)
  // Clients often repeat the user ID as a trait.
  return withoutParameters(id === undefined || id === userId ? others : { id, ...others }, USER_PARAMETERS)
}

function account({ groupId = '', traits = {} }: SegmentMessage): JsonObject {
  const { id, ...others } = flatten(traits)
  const attributes = id === undefined || id === groupId ? others : { id, ...others }
  return { id: groupId, ...withoutParameters(attributes, ACCOUNT_PARAMETERS) }
}

function withoutParameters(traits: JsonObject, parameters: readonly string[]): JsonObject {
  const entries = Object.entries(traits)
  return Object.fromEntries(
    entries.map(([name, value]) => [parameters.includes(name) ? `traits_${name}` : name, value]),
  )
}

function pending(message: SegmentMessage, call: Call, body: JsonObject): NewDelivery {
  return { ...base(message, call), payload: JSON.stringify(body), state: 'pending', reason: null }
}

function notCalled(message: SegmentMessage): NewDelivery {
  return skipped(message, `to_refiner.calls leaves out ${refinerCall(message.type)}`)
}

function skipped(message: SegmentMessage, reason: string): NewDelivery {
  return { ...base(message, refinerCall(message.type)), payload: null, state: 'skipped', reason }
}

function base(message: SegmentMessage, call: Call | 'delete') {
  return {
    destination: 'refiner',
    call,
    userKey: message.userId,
    messageId: message.messageId,
    detail: null,
    notes: null,
  } as const
}

function refinerCall(type: SegmentMessage['type']): Call | 'delete' {
  return type === 'page' || type === 'screen' ? 'track' : type
}
