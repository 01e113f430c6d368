import type { Tenant } from '../contracts/configuration.ts'
import type { NewDelivery } from '../contracts/delivery.ts'
import type { Source } from '../contracts/inbox.ts'
import type { PeopleChange } from '../contracts/people.ts'
import type { SegmentMessage } from '../contracts/segment-message.ts'
import { TooManyTraits } from './flatten.ts'
import { peopleOfInteraction, peopleOfMessage } from './people.ts'
import { readRefinerWebhook } from './refiner-webhook.ts'
import { isOwn, toRefiner } from './to-refiner.ts'
import { toSegment } from './to-segment.ts'

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

/** What an item becomes. Depends on nothing but its arguments; never throws. */
export function mapItem(item: Item, tenant: Tenant): Mapped {
  try {
    switch (item.source) {
      case 'refiner_webhook':
        return mapRefinerWebhook(item, tenant)
      case 'segment':
        return mapSegmentMessage(item, tenant)
    }
  } catch (error) {
    return mappingFailed(item, error)
  }
}

/** The item stays in the inbox, and a dead delivery says why nothing came of it. */
export function mappingFailed(item: Item, error: unknown): Mapped {
  // Of other errors the name only: their messages can quote the item.
  const name = error instanceof Error ? error.name : 'unknown error'
  const reason = error instanceof TooManyTraits ? error.message : name
  return { deliveries: [whole(item, 'dead', `mapping it failed: ${reason}`)], people: [] }
}

function mapRefinerWebhook(item: Item, tenant: Tenant): Mapped {
  const interaction = readRefinerWebhook(item.payload, item.receivedAt)
  if ('unreadable' in interaction) {
    return {
      deliveries: [whole(item, 'skipped', `the webhook was not understood: ${interaction.unreadable}`)],
      people: [],
    }
  }
  return { deliveries: toSegment(interaction, tenant), people: peopleOfInteraction(interaction) }
}

function mapSegmentMessage(item: Item, tenant: Tenant): Mapped {
  const message = JSON.parse(item.payload) as SegmentMessage
  return {
    deliveries: [toRefiner(message, tenant)],
    people: isOwn(message) ? [] : peopleOfMessage(message, item.receivedAt),
  }
}

function whole(item: Item, state: 'skipped' | 'dead', reason: string): NewDelivery {
  return {
    destination: item.source === 'segment' ? 'refiner' : 'segment',
    call: 'all',
    userKey: '',
    messageId: `inbox-${item.id}`,
    payload: null,
    state,
    reason,
    detail: null,
    notes: null,
  }
}
