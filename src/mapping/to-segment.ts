import type { Call, Tenant, ToSegmentSettings } from '../contracts/configuration.ts'
import type { NewDelivery } from '../contracts/delivery.ts'
import type { Interaction } from '../contracts/interaction.ts'
import type { JsonObject, JsonValue } from '../contracts/json.ts'
import { VERSION } from '../version.ts'
import { messageId } from './message-id.ts'
import { passes } from './name-filter.ts'
import { brokenLimit } from './segment-limits.ts'

/** Names us in every message, and lets us know our own when Segment sends it back. */
const US = { name: 'refiner-sync', version: VERSION }
const CONTEXT: JsonObject = { library: US, integration: US }
/** Keeps Segment from sending the message on to Refiner; the name is the one in Segment's catalogue. */
const NOT_TO_REFINER: JsonObject = { Refiner: false }

/** The messages that an interaction becomes, in the order in which they go out. */
export function toSegment(interaction: Interaction, tenant: Tenant): readonly NewDelivery[] {
  const settings = tenant.toSegment
  const reason = skipReason(interaction, settings)
  const identity = userIdentity(interaction, settings)
  if (reason !== null || 'skip' in identity) {
    return [skippedWhole(interaction, tenant, reason ?? ('skip' in identity ? identity.skip : ''))]
  }
  const messages = build(interaction, settings, identity)
  if (messages.length === 0) {
    return [skippedWhole(interaction, tenant, 'to_segment.calls and to_segment.events leave nothing to send')]
  }
  return messages.map((message) => delivery(interaction, tenant, identity, message))
}

type Identity = { readonly userId: string } | { readonly anonymousId: string }

type Message = { readonly type: Call } & JsonObject

function skipReason({ kind, survey }: Interaction, settings: ToSegmentSettings): string | null {
  if (kind !== 'completed' && settings.events[kind] === null) {
    return `no event name is set in to_segment.events.${kind}`
  }
  const names = [survey.name, survey.uuid].filter((name) => name !== null)
  if (kind === 'segment_entered' || passes(settings.surveys, names.length > 0 ? names : [''])) return null
  return 'the survey is left out by to_segment.surveys'
}

function userIdentity({ user }: Interaction, { anonymous }: ToSegmentSettings): Identity | { skip: string } {
  if (user.id !== null) return { userId: user.id }
  switch (anonymous) {
    case 'skip':
      return { skip: 'the contact has no user ID (to_segment.anonymous: skip)' }
    case 'email':
      if (user.email !== null) return { userId: user.email }
      return { skip: 'the contact has neither a user ID nor an email (to_segment.anonymous: email)' }
    case 'anonymous_id':
      if (user.uuid !== null) return { anonymousId: user.uuid }
      return { skip: 'the contact has neither a user ID nor a uuid (to_segment.anonymous: anonymous_id)' }
  }
}

/** A completed survey tells of the user and the account; everything else is an event only. */
function build(interaction: Interaction, settings: ToSegmentSettings, identity: Identity): Message[] {
  const messages: Message[] = []
  const { account, kind } = interaction
  if (kind === 'completed' && settings.calls.has('identify')) {
    messages.push({ type: 'identify', ...identity, traits: userTraits(interaction, settings) })
  }
  if (kind === 'completed' && settings.calls.has('group') && account.id !== null) {
    const traits = prefixed(account.attributes, settings.traitPrefix)
    messages.push({ type: 'group', ...identity, groupId: account.id, traits })
  }
  const event = settings.events[kind]
  if (event !== null && settings.calls.has('track')) {
    messages.push({ type: 'track', ...identity, event, properties: eventProperties(interaction) })
  }
  return messages
}

function userTraits({ answers, user }: Interaction, settings: ToSegmentSettings): JsonObject {
  const email: JsonObject = user.email === null ? {} : { email: user.email }
  const attributes = settings.userAttributes ? user.attributes : {}
  return prefixed({ ...attributes, ...beside(email, answers, ['email']) }, settings.traitPrefix)
}

function eventProperties(interaction: Interaction): JsonObject {
  const { survey, response, segments, kind } = interaction
  const known: JsonObject = {
    survey_uuid: survey.uuid,
    survey_name: survey.name,
    response_uuid: response.uuid,
    ...response.timestamps,
    tags: response.tags === null ? null : [...response.tags],
  }
  if (kind === 'segment_entered') known['segments'] = segments.map(({ name, uuid }) => name ?? uuid)
  const present = Object.fromEntries(Object.entries(known).filter(([, value]) => value !== null))
  return beside(present, interaction.answers, Object.keys(known))
}

/**
 * Our own fields, then the answers under their own keys. An answer whose key is one of ours (`taken`, also where ours
 * has no value, so that a key always means the same) stands under `answer_<key>` instead: neither is lost.
 */
function beside(ours: JsonObject, answers: JsonObject, taken: readonly string[]): JsonObject {
  const free = (key: string): string => {
    if (!taken.includes(key)) return key
    let name = `answer_${key}`
    while (taken.includes(name) || Object.hasOwn(answers, name)) name = `answer_${name}`
    return name
  }
  const moved = Object.entries(answers).map(([key, value]): [string, JsonValue] => [free(key), value])
  return Object.fromEntries([...Object.entries(ours), ...moved])
}

function prefixed(values: JsonObject, prefix: string): JsonObject {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [prefix + name, value]))
}

function delivery(
  interaction: Interaction,
  tenant: Tenant,
  identity: Identity,
  message: Message,
): NewDelivery {
  const about = [userKey(identity), message.type === 'group' ? interaction.account.id : null]
  const id = messageId(tenant.name, interaction, message.type, about)
  const full: JsonObject = {
    ...message,
    messageId: id,
    timestamp: interaction.occurredAt,
    context: CONTEXT,
    integrations: NOT_TO_REFINER,
  }
  const payload = JSON.stringify(full)
  const reason = brokenLimit(full, payload)
  return {
    destination: 'segment',
    call: message.type,
    userKey: userKey(identity),
    messageId: id,
    payload,
    state: reason === null ? 'pending' : 'dead',
    reason,
    detail: null,
    notes: null,
  }
}

function skippedWhole(interaction: Interaction, tenant: Tenant, reason: string): NewDelivery {
  return {
    destination: 'segment',
    call: 'all',
    userKey: interaction.user.id ?? interaction.user.uuid ?? '',
    messageId: messageId(tenant.name, interaction, 'all', [interaction.user.id, reason]),
    payload: null,
    state: 'skipped',
    reason,
    detail: null,
    notes: null,
  }
}

function userKey(identity: Identity): string {
  return 'userId' in identity ? identity.userId : identity.anonymousId
}
