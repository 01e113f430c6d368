import type { Call } from '../contracts/call.ts'
import type { DeliveryCall, NewDelivery } from '../contracts/delivery.ts'
import type { JsonObject, JsonValue } from '../contracts/json.ts'
import type { SegmentMessage } from '../contracts/segment-message.ts'
import { applyEventRules } from '../rules/apply-event-rules.ts'
import type { RuleListener } from '../rules/apply-rules.ts'
import type { CompiledEventRule } from '../rules/compiled-rules.ts'
import { type EventDraft, noOutcome } from '../rules/draft.ts'
import { type EventVariables, eventVariables } from '../rules/event-variables.ts'
import { flatten } from './flatten.ts'
import type { TenantMapping } from './tenant-mapping.ts'
import { OWN_MESSAGE_ID } from './message-id.ts'
import { senderId } from '../contracts/sender-ids.ts'
import { passes } from '../rules/name-filter.ts'

/**
 * Parameters of Refiner's API that are no traits; a trait of that name would change whom or which account the call
 * speaks of. It goes under `traits_<name>` instead.
 */
const USER_PARAMETERS = ['id', 'account', 'api_key']
const ACCOUNT_PARAMETERS = ['id']

/** Lets somebody look on while rules are applied. */
export interface EventRuleWatch {
  /** Called before the first rule. */
  start(message: SegmentMessage, draft: EventDraft, variables: EventVariables): void
  readonly rule: RuleListener<CompiledEventRule>
}

/** What a Segment message becomes for Refiner: one call of its REST API, or a reason why there is none. */
export function toRefiner(
  message: SegmentMessage,
  mapping: TenantMapping,
  watch?: EventRuleWatch,
): NewDelivery {
  const { tenant, toRefiner: rules } = mapping
  const settings = tenant.toRefiner
  if (isOwn(message)) return skipped(message, 'refiner-sync itself sent it to Segment')
  if (message.type === 'delete') {
    return skipped(message, 'somebody is to be forgotten, and then this, too')
  }
  const call = refinerCall(message.type)
  if (!settings.calls.has(call)) return skipped(message, `to_refiner.calls leaves out ${call}`)
  const draft = createDraft(message)
  if (call === 'track' && !passes(settings.events, [draft.event])) {
    return skipped(message, 'the event is left out by to_refiner.events')
  }
  if (rules.length > 0) {
    const traits = call === 'group' ? draft.groupTraits : draft.traits
    const variables = eventVariables(message, { ...traits }, tenant.name)
    watch?.start(message, draft, variables)
    applyEventRules(rules, draft, variables, watch?.rule)
  }
  return afterRules(message, call, draft)
}

function createDraft(message: SegmentMessage): EventDraft {
  const { type } = message
  const isGroup = type === 'group'
  return {
    event: type === 'identify' || isGroup ? '' : eventName(message),
    traits: type === 'identify' ? ownTraits(message.traits, message.userId) : {},
    groupTraits: isGroup ? ownTraits(message.traits, message.groupId ?? '') : {},
    bare: isGroup ? 'groupTraits' : 'traits',
    outcome: noOutcome(),
  }
}

function afterRules(message: SegmentMessage, call: Call, draft: EventDraft): NewDelivery {
  const { skip, failed, notes: noted } = draft.outcome
  const notes = noted.length > 0 ? noted.join('; ') : null
  if (failed !== null) {
    return { ...base(message, call), payload: null, state: 'dead', reason: failed, notes }
  }
  if (skip !== null) return { ...skipped(message, skip), notes }
  const body = JSON.stringify(refinerBody(message, draft))
  return { ...base(message, call), payload: body, state: 'pending', reason: null, notes }
}

/** What is posted to Refiner for a message. */
export function refinerBody(message: SegmentMessage, draft: EventDraft): JsonObject {
  const user = { id: message.userId, ...withoutParameters(draft.traits, USER_PARAMETERS) }
  switch (message.type) {
    case 'group': {
      const attributes = withoutParameters(draft.groupTraits, ACCOUNT_PARAMETERS)
      return { ...user, account: { id: message.groupId ?? '', ...attributes } }
    }
    case 'track':
    case 'page':
    case 'screen':
      return { ...user, event: draft.event }
    case 'identify':
    case 'delete':
      return user
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

/** Flat, and without the ID that clients often repeat among the traits. */
function ownTraits(traits: JsonObject | undefined, ownId: string): JsonObject {
  const { id, ...others } = flatten(traits ?? {})
  return id === undefined || id === ownId ? others : { id, ...others }
}

function withoutParameters(traits: JsonObject, parameters: readonly string[]): JsonObject {
  const entries = Object.entries(traits)
  return Object.fromEntries(
    entries.map(([name, value]) => [parameters.includes(name) ? `traits_${name}` : name, value]),
  )
}

function skipped(message: SegmentMessage, reason: string): NewDelivery {
  return { ...base(message, deliveryCall(message.type)), payload: null, state: 'skipped', reason }
}

function base(message: SegmentMessage, call: DeliveryCall) {
  return {
    destination: 'refiner',
    call,
    userKey: message.userId,
    messageId: senderId(message.messageId),
    detail: null,
    notes: null,
  } as const
}

function deliveryCall(type: SegmentMessage['type']): DeliveryCall {
  return type === 'delete' ? type : refinerCall(type)
}

function refinerCall(type: Exclude<SegmentMessage['type'], 'delete'>): Call {
  return type === 'page' || type === 'screen' ? 'track' : type
}
