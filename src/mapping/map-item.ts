import type { NewDelivery } from '../contracts/delivery.ts'
import type { Source } from '../contracts/inbox.ts'
import type { Interaction } from '../contracts/interaction.ts'
import type { PeopleChange } from '../contracts/people.ts'
import type { SegmentMessage } from '../contracts/segment-message.ts'
import type { SegmentChange } from '../contracts/segments.ts'
import { TooManyTraits } from './flatten.ts'
import { peopleOfInteraction, peopleOfMessage } from './people.ts'
import { readRefinerWebhook } from './refiner-webhook.ts'
import { mapSegmentChange } from './segment-change.ts'
import type { Message, MessageParts } from './segment-messages.ts'
import type { TenantMapping } from './tenant-mapping.ts'
import { type EventRuleWatch, isOwn, toRefiner } from './to-refiner.ts'
import { applyRules, deliveriesOf, type RuleWatch } from './to-segment.ts'

/** An inbox item, as far as the mapping needs it. */
export interface Item {
  readonly id: number
  readonly source: Source
  /** JSON text, as intake stored it. */
  readonly payload: string
  readonly receivedAt: number
}

export interface Mapped {
  readonly deliveries: readonly NewDelivery[]
  readonly people: readonly PeopleChange[]
}

/** An item whose messages still have to go through plugins. */
export interface Unfinished {
  readonly item: Item
  readonly interaction: Interaction
  readonly messages: readonly Message[]
  readonly parts: MessageParts
  readonly notes: string | null
}

/** Lets somebody look on while an item is mapped. */
export interface MappingWatch {
  readonly interaction: RuleWatch
  readonly event: EventRuleWatch
}

/** What settings and rules make of an item. Depends on nothing but its arguments; never throws. */
export function mapItem(item: Item, mapping: TenantMapping, watch?: MappingWatch): Mapped | Unfinished {
  try {
    switch (item.source) {
      case 'refiner_webhook':
        return mapRefinerWebhook(item, mapping, watch?.interaction)
      case 'segment':
        return mapSegmentMessage(item, mapping, watch?.event)
    }
  } catch (error) {
    return mappingFailed(item, error)
  }
}

export function isUnfinished(mapped: Mapped | Unfinished): mapped is Unfinished {
  return 'messages' in mapped
}

/** The item stays in the inbox, and a dead delivery says why nothing came of it. */
export function mappingFailed(item: Item, error: unknown): Mapped {
  // Of other errors the name only: their messages can quote the item.
  const name = error instanceof Error ? error.name : 'unknown error'
  const reason = error instanceof TooManyTraits ? error.message : name
  return deadWhole(item, `mapping it failed: ${reason}`, null)
}

/** Of an item nothing is sent, since its mapping is at fault; it can be mapped again once that is mended. */
export function deadWhole(item: Item, reason: string, detail: string | null): Mapped {
  return { deliveries: [whole(item, 'dead', reason, detail)], people: [] }
}

function mapRefinerWebhook(item: Item, mapping: TenantMapping, watch?: RuleWatch): Mapped | Unfinished {
  const interaction = readRefinerWebhook(item.payload, item.receivedAt)
  if ('unreadable' in interaction) {
    const reason = `the webhook was not understood: ${interaction.unreadable}`
    return { deliveries: [whole(item, 'skipped', reason, null)], people: [] }
  }
  const after = applyRules(interaction, mapping, watch)
  switch (after.kind) {
    case 'failed':
      return deadWhole(item, after.reason, null)
    case 'done':
      return { deliveries: after.deliveries, people: peopleOfInteraction(interaction) }
    case 'messages': {
      const { messages, parts, notes } = after
      if (mapping.tenant.toSegment.plugins.length > 0) return { item, interaction, messages, parts, notes }
      return { deliveries: deliveriesOf(messages, notes), people: peopleOfInteraction(interaction) }
    }
  }
}

function mapSegmentMessage(item: Item, mapping: TenantMapping, watch?: EventRuleWatch): Mapped {
  const message = JSON.parse(item.payload) as SegmentMessage | SegmentChange
  if (message.type === 'segment_change') return { deliveries: mapSegmentChange(message), people: [] }
  return {
    deliveries: [toRefiner(message, mapping, watch)],
    people: isOwn(message) ? [] : peopleOfMessage(message, item.receivedAt),
  }
}

function whole(item: Item, state: 'skipped' | 'dead', reason: string, detail: string | null): NewDelivery {
  return {
    destination: item.source === 'segment' ? 'refiner' : 'segment',
    call: 'all',
    userKey: '',
    messageId: `inbox-${item.id}`,
    payload: null,
    state,
    reason,
    detail,
    notes: null,
  }
}
