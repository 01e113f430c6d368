import type { InteractionKind, PrivacySettings } from '../contracts/configuration.ts'
import type { Interaction } from '../contracts/interaction.ts'
import type { JsonObject, JsonValue } from '../contracts/json.ts'
import { privateWebhook } from '../intake/privacy-lists.ts'
import { webhookBodiesOf } from '../intake/response-item.ts'
import { epochMs } from '../json/timestamps.ts'
import { MessageIds } from '../mapping/message-id.ts'
import { readRefinerWebhook } from '../mapping/refiner-webhook.ts'
import type { Store } from '../store/open.ts'
import { countMissed, hasMessages, insertPolled } from '../store/poll-places.ts'
import { itemKey } from './item-key.ts'

/** Whom a response is about, as far as it tells. */
export interface Person {
  readonly userId: string | null
  readonly email: string | null
  readonly uuid: string | null
}

export interface PageTerms {
  readonly tenant: string
  readonly kinds: ReadonlySet<InteractionKind>
  readonly isForgotten: (tenant: string, person: Person) => boolean
  /** What of it is not to be kept. */
  readonly privacy: PrivacySettings | null
  /** What happened before it is not taken. Both in ms since 1970. */
  readonly notBefore: number
  readonly now: number
}

/**
 * What happened within this time is left to its webhook, which may be under way; the next poll looks at it again. So what
 * polling brings is what no webhook brought.
 */
const WEBHOOK_TAKES_MS = 30_000

const MOMENTS = ['completed_at', 'dismissed_at', 'last_data_reception_at', 'last_shown_at'] as const

/**
 * Adds to the inbox what responses of Refiner tell that no webhook has brought, as the webhooks that Refiner would have
 * sent: an interaction is known by its message IDs, so that one that comes both ways is one. Answers how many there
 * were.
 */
export function takeResponses(
  store: Store,
  items: readonly JsonObject[],
  { tenant, kinds, isForgotten, privacy, notBefore, now }: PageTerms,
): number {
  return store.relaxedTransaction(() => {
    let missed = 0
    for (const item of items) {
      if (isRecent(item, now) || isForgotten(tenant, personOf(item['contact']))) continue
      for (const body of webhookBodiesOf(item, kinds)) {
        const payload = JSON.stringify(privateWebhook(body, privacy))
        const interaction = readRefinerWebhook(payload, now)
        if ('unreadable' in interaction || lastMoment(interaction) < notBefore) continue
        const { prefix } = new MessageIds(tenant, interaction)
        if (hasMessages(store, tenant, prefix)) continue
        missed += insertPolled(store, {
          tenant,
          dedupKey: itemKey(tenant, interaction),
          payload,
          receivedAt: now,
        })
      }
    }
    if (missed > 0) countMissed(store, { tenant, count: missed, now })
    return missed
  })
}

/**
 * When an interaction came to what it is now. Refiner's date range may look at another moment of the response: one that
 * was shown again yesterday may have been completed, and sent, long ago.
 */
function lastMoment({ kind, occurredAt, response }: Interaction): number {
  const answered = kind === 'completed' ? response.timestamps.last_data_reception_at : null
  return Math.max(Date.parse(occurredAt), epochMs(answered) ?? -Infinity)
}

/** A moment that lies ahead is one of a clock that is ahead: such a response is not left out for ever. */
function isRecent(item: JsonObject, now: number): boolean {
  return MOMENTS.some((name) => {
    const age = now - (epochMs(item[name]) ?? -Infinity)
    return age >= 0 && age < WEBHOOK_TAKES_MS
  })
}

function personOf(contact: JsonValue | undefined): Person {
  const { remote_id, email, uuid } = object(contact)
  return { userId: text(remote_id), email: text(email), uuid: text(uuid) }
}

function object(value: JsonValue | undefined): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {}
}

function text(value: JsonValue | undefined): string | null {
  if (typeof value === 'number') return String(value)
  return typeof value === 'string' && value !== '' ? value : null
}
