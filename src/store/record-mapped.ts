import type { NewDelivery } from '../contracts/delivery.ts'
import type { JsonObject } from '../contracts/json.ts'
import type { KeptResponse, PeopleChange } from '../contracts/people.ts'
import { type InboxRow, markMapped, recordCopies } from './inbox.ts'
import type { Store } from './open.ts'
import { insertDelivery } from './outbox.ts'
import * as people from './people.ts'
import { forgetPlaces, freePlaces, takePlace } from './places.ts'

/** What an inbox item became. */
export interface MappedItem {
  readonly item: InboxRow
  readonly deliveries: readonly NewDelivery[]
  readonly people: readonly PeopleChange[]
}

/**
 * Keeps what inbox items became and marks them as mapped, all in one commit. A power cut may undo it: then the items
 * are mapped again, to the same message IDs.
 */
export function recordMapped(store: Store, mapped: readonly MappedItem[], now: number): void {
  store.relaxedTransaction(() => {
    for (const { item, deliveries, people: changes } of mapped) {
      const peopleKept = item.peopleKept === 1 || changes.length > 0 ? 1 : 0
      if (markMapped(store, { id: item.id, peopleKept }) === 0) continue
      if (item.peopleKept === 0) for (const change of changes) applyPeopleChange(store, item, change)
      let copies = 0
      const places = freePlaces(store, { inboxId: item.id })
      const hadPlaces = places.length > 0
      for (const delivery of deliveries) {
        const inserted = insertDelivery(store, {
          ...delivery,
          inboxId: item.id,
          tenant: item.tenant,
          now,
          settledAt: delivery.state === 'pending' ? null : now,
        })
        if (inserted === 0) copies += 1
        else if (places.length > 0) takePlace(store, places, { tenant: item.tenant, ...delivery }, now)
      }
      if (hadPlaces) forgetPlaces(store, { inboxId: item.id })
      if (copies > 0) recordCopies(store, { id: item.id, copies })
    }
  })
}

function applyPeopleChange(store: Store, { tenant, receivedAt: now }: InboxRow, change: PeopleChange): void {
  switch (change.kind) {
    case 'user': {
      const { userId, email, refinerUuid, traits } = change
      people.touchUser(store, { tenant, userId, email, refinerUuid, now })
      const merged = merge(people.userTraits(store, { tenant, userId })[0]!.traits, traits)
      if (merged !== null) people.setUserTraits(store, { tenant, userId, traits: merged })
      return
    }
    case 'account': {
      const { accountId, userId, traits } = change
      people.touchAccount(store, { tenant, accountId, now })
      const merged = merge(people.accountTraits(store, { tenant, accountId })[0]!.traits, traits)
      if (merged !== null) people.setAccountTraits(store, { tenant, accountId, traits: merged })
      if (userId === null) return
      touchKnownUser(store, tenant, userId, now)
      people.touchMembership(store, { tenant, userId, accountId, now })
      return
    }
    case 'event': {
      const { userId, name, at } = change
      touchKnownUser(store, tenant, userId, now)
      people.countUserEvent(store, { tenant, userId, name, at })
      return
    }
    case 'response':
      people.keepResponse(store, responseRow(tenant, change.response, now))
      return
  }
}

function touchKnownUser(store: Store, tenant: string, userId: string, now: number): void {
  people.touchUser(store, { tenant, userId, email: null, refinerUuid: null, now })
}

/** A profile is rewritten with each change, so that one without bounds would slow everybody down. */
const LONGEST_PROFILE = 256 * 1024

/** The known traits with new ones over them, as JSON; null when that changes nothing or makes the profile too long. */
function merge(known: string, traits: JsonObject): string | null {
  if (Object.keys(traits).length === 0) return null
  const merged = JSON.stringify({ ...(JSON.parse(known) as JsonObject), ...traits })
  return merged === known || merged.length > LONGEST_PROFILE ? null : merged
}

function responseRow(tenant: string, response: KeptResponse, now: number): people.ResponseRow {
  const { uuid, answers, tags, ...rest } = response
  return {
    ...rest,
    tenant,
    responseUuid: uuid,
    answers: JSON.stringify(answers),
    tags: tags === null ? null : JSON.stringify(tags),
    now,
  }
}
