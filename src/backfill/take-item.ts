import type { BackfillCursor, BackfillRecord } from '../contracts/backfill.ts'
import type { JsonObject } from '../contracts/json.ts'
import { privateWebhook } from '../intake/privacy-lists.ts'
import { epochMs } from '../json/timestamps.ts'
import { peopleOfInteraction } from '../mapping/people.ts'
import { readRefinerWebhook } from '../mapping/refiner-webhook.ts'
import { insertBackfilled } from '../store/backfills.ts'
import type { Store } from '../store/open.ts'
import { applyPeopleChanges } from '../store/record-mapped.ts'
import { knownAs } from './is-known.ts'
import type { BackfillSource } from './source.ts'
import { personOf, toldBy } from './told-by.ts'

/** What became of an item; the names of the counts, but for contacts. */
export type Taken = 'taken' | 'known' | 'forgotten' | 'leftOut' | 'contact' | 'contact kept'

/** Takes what was read, for one backfill. To be called within a transaction. */
export class Taker {
  constructor(
    private readonly backfill: Pick<BackfillRecord, 'tenant' | 'filter' | 'mode'>,
    private readonly store: Store,
    private readonly source: BackfillSource,
  ) {}

  take(phase: BackfillCursor['phase'], item: JsonObject, now: number): Taken {
    return phase === 'contacts' ? this.#takeContact(item, now) : this.#takeResponse(item, now)
  }

  #takeContact(contact: JsonObject, now: number): Taken {
    const { tenant } = this.backfill
    if (this.source.isForgotten(tenant, personOf(contact))) return 'contact'
    // What a webhook says of its contact has the same form, so that it is read by the same rules.
    const body = JSON.stringify(
      privateWebhook(
        { ...contact, triggered_event: 'User entered segment', response: null },
        this.source.privacy(tenant),
      ),
    )
    return this.#keep(body, epochMs(contact['last_seen_at']) ?? now) ? 'contact kept' : 'contact'
  }

  #takeResponse(item: JsonObject, now: number): Taken {
    const { tenant, mode } = this.backfill
    const told = toldBy(item, this.backfill, this.source)
    if (told.kind !== 'bodies') return told.kind
    if (mode === 'store-only') {
      // What each of them says about people is the same.
      this.#keep(told.bodies[0]!, null)
      return 'taken'
    }
    let isNew = false
    for (const payload of told.bodies) {
      const known = knownAs(this.store, tenant, payload)
      if (known === null || known.wentOut) continue
      const { dedupKey } = known
      const inserted = insertBackfilled(this.store, { tenant, dedupKey, payload, receivedAt: now })
      isNew ||= inserted > 0
    }
    return isNew ? 'taken' : 'known'
  }

  /**
   * Keeps what a webhook body says about people, seen at that moment or when it happened. Answers whether it says of a user
   * or an account.
   */
  #keep(body: string, at: number | null): boolean {
    const interaction = readRefinerWebhook(body, at ?? 0)
    if ('unreadable' in interaction) return false
    const changes = peopleOfInteraction(interaction)
    const receivedAt = at ?? epochMs(interaction.occurredAt) ?? 0
    applyPeopleChanges(this.store, { tenant: this.backfill.tenant, receivedAt }, changes)
    return changes.some(({ kind }) => kind === 'user' || kind === 'account')
  }
}
