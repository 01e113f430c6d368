import type { InteractionKind, PrivacySettings } from '../contracts/configuration.ts'
import type { Interaction } from '../contracts/interaction.ts'
import type { JsonObject, JsonValue } from '../contracts/json.ts'
import { privateWebhook } from '../intake/privacy-lists.ts'
import { webhookBodiesOf } from '../intake/response-item.ts'
import { momentOf } from '../intake/response-order.ts'
import { epochMs } from '../json/timestamps.ts'
import { MessageIds } from '../mapping/message-id.ts'
import { readRefinerWebhook } from '../mapping/refiner-webhook.ts'
import { hasInboxItem } from '../store/backfills.ts'
import type { Store } from '../store/open.ts'
import { countMissed, hasMessages, insertPolled, isTold } from '../store/poll-places.ts'
import { itemKey } from './item-key.ts'
import { wentOut } from './went-out.ts'

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

/** Something that a response tells and that no webhook has brought, as the webhook that Refiner would have sent. */
export interface Found {
  readonly person: Person
  readonly payload: string
  readonly dedupKey: string
  /** What the IDs of its messages begin with. */
  readonly prefix: string
  /** When it happened, in ms since 1970. */
  readonly at: number
}

/**
 * What happened within this time is left to its webhook, which may be under way; the next poll looks at it again. So what
 * polling brings is what no webhook brought.
 */
const WEBHOOK_TAKES_MS = 30_000

const MOMENTS = ['completed_at', 'dismissed_at', 'last_data_reception_at', 'last_shown_at'] as const

/**
 * What responses of Refiner tell that nothing has brought so far: an interaction is known by its message IDs, so that one
 * that comes both ways is one.
 */
export function foundIn(store: Store, items: readonly JsonObject[], terms: PageTerms): Found[] {
  const { tenant, kinds, isForgotten, privacy, notBefore, now } = terms
  const found: Found[] = []
  for (const item of items) {
    const person = personOf(item['contact'])
    if (isRecent(item, now) || isForgotten(tenant, person)) continue
    for (const body of webhookBodiesOf(item, kinds)) {
      const payload = JSON.stringify(privateWebhook(body, privacy))
      const interaction = readRefinerWebhook(payload, now)
      if ('unreadable' in interaction || lastMoment(interaction) < notBefore) continue
      const { prefix } = new MessageIds(tenant, interaction)
      const dedupKey = itemKey(tenant, interaction)
      if (isTold(store, tenant, prefix, interaction.user.id) || hasInboxItem(store, tenant, dedupKey))
        continue
      if (wentOut(store, tenant, interaction)) continue
      found.push({ person, payload, dedupKey, prefix, at: momentOf(item) })
    }
  }
  return found
}

/** What `keepFound` added to the inbox, and how much of it no webhook had brought. */
export interface Kept {
  readonly added: number
  readonly missed: number
}

/** Adds what was found to the inbox, in one commit; but for whom was forgotten since. */
export function keepFound(
  store: Store,
  found: readonly Found[],
  { tenant, isForgotten, now }: Pick<PageTerms, 'tenant' | 'isForgotten' | 'now'>,
): Kept {
  return store.relaxedTransaction(() => {
    let [added, missed] = [0, 0]
    for (const { person, payload, dedupKey, prefix } of found) {
      if (isForgotten(tenant, person) || isTold(store, tenant, prefix, person.userId)) continue
      // A webhook brought it when nobody knew yet whose it is: there it is not missing.
      const hasWebhook = hasMessages(store, tenant, prefix)
      const origin = hasWebhook ? 'webhook' : 'poll'
      const inserted = insertPolled(store, { tenant, dedupKey, payload, receivedAt: now, origin })
      added += inserted
      if (!hasWebhook) missed += inserted
    }
    if (missed > 0) countMissed(store, { tenant, count: missed, now })
    return { added, missed }
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
