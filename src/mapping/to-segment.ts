import type { ToSegmentSettings } from '../contracts/configuration.ts'
import type { NewDelivery } from '../contracts/delivery.ts'
import type { Interaction } from '../contracts/interaction.ts'
import { applyInteractionRules } from '../rules/apply-interaction-rules.ts'
import type { RuleListener } from '../rules/apply-rules.ts'
import type { CompiledInteractionRule } from '../rules/compiled-rules.ts'
import { InteractionVariables } from '../rules/interaction-variables.ts'
import { passes } from '../rules/name-filter.ts'
import { createDraft } from './draft.ts'
import { MessageIds } from './message-id.ts'
import { messageDelivery, skippedDelivery } from './segment-deliveries.ts'
import { type Identity, type Message, type MessageParts, segmentMessages } from './segment-messages.ts'
import type { TenantMapping } from './tenant-mapping.ts'

/** An interaction after the rules. */
export type AfterRules =
  | { readonly kind: 'done'; readonly deliveries: readonly NewDelivery[] }
  /** A rule asked that the delivery be dead. */
  | { readonly kind: 'failed'; readonly reason: string }
  | {
      readonly kind: 'messages'
      readonly messages: readonly Message[]
      readonly parts: MessageParts
      readonly notes: string | null
    }

/** Lets somebody look on while rules are applied. */
export interface RuleWatch {
  /** Called before the first rule. */
  start(parts: MessageParts, variables: InteractionVariables): void
  readonly rule: RuleListener<CompiledInteractionRule>
}

/** What settings and rules make of an interaction. */
export function applyRules(interaction: Interaction, mapping: TenantMapping, watch?: RuleWatch): AfterRules {
  const { tenant, toSegment: rules } = mapping
  const settings = tenant.toSegment
  const ids = new MessageIds(tenant.name, interaction)
  const identity = userIdentity(interaction, settings)
  const reason = filterReason(interaction, settings) ?? ('skip' in identity ? identity.skip : null)
  if (reason !== null || 'skip' in identity) return skipped(interaction, ids, reason ?? '', null)

  const draft = createDraft(interaction, settings)
  const parts = { interaction, settings, identity, draft, ids }
  if (rules.length > 0) {
    const variables = new InteractionVariables(interaction, tenant.name)
    watch?.start(parts, variables)
    applyInteractionRules(rules, draft, variables, watch?.rule)
  }
  const { skip, failed, notes: noted } = draft.outcome
  const notes = noted.length > 0 ? noted.join('; ') : null
  if (failed !== null) return { kind: 'failed', reason: failed }
  if (skip !== null) return skipped(interaction, ids, skip, notes)
  const messages = segmentMessages(parts)
  if (messages.length === 0) return skipped(interaction, ids, nothingToSend(interaction, settings), notes)
  return { kind: 'messages', messages, parts, notes }
}

/** The messages on their way. */
export function deliveriesOf(messages: readonly Message[], notes: string | null): readonly NewDelivery[] {
  return messages.map((message) => messageDelivery(message, notes))
}

function skipped(
  interaction: Interaction,
  ids: MessageIds,
  reason: string,
  notes: string | null,
): AfterRules {
  return { kind: 'done', deliveries: [skippedDelivery(interaction, ids, reason, notes)] }
}

/** Why an interaction is left out before any rule is asked; null lets it through. */
function filterReason({ kind, survey }: Interaction, settings: ToSegmentSettings): string | null {
  if (kind !== 'completed' && settings.events[kind] === null && settings.mapping.length === 0) {
    return noEventName(kind)
  }
  const names = [survey.name, survey.uuid].filter((name) => name !== null)
  if (kind === 'segment_entered' || passes(settings.surveys, names.length > 0 ? names : [''])) return null
  return 'the survey is left out by to_segment.surveys'
}

function nothingToSend({ kind }: Interaction, settings: ToSegmentSettings): string {
  if (kind !== 'completed' && settings.events[kind] === null) return noEventName(kind)
  return settings.mapping.length === 0
    ? 'to_segment.calls and to_segment.events leave nothing to send'
    : 'to_segment.calls, to_segment.events and the rules leave nothing to send'
}

function noEventName(kind: Interaction['kind']): string {
  return `no event name is set in to_segment.events.${kind}`
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
