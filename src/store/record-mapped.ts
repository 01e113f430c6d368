import type { Destination, NewDelivery } from '../contracts/delivery.ts'
import type { JsonObject } from '../contracts/json.ts'
import type { KeptResponse, PeopleChange } from '../contracts/people.ts'
import { type InboxRow, markMapped, recordCopies } from './inbox.ts'
import type { Store } from './open.ts'
import { hasOpen, insertDelivery } from './outbox.ts'
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
    const open = new OpenUsers(store)
    for (const { item, deliveries, people: changes } of mapped) {
      const peopleKept = item.peopleKept === 1 || changes.length > 0 ? 1 : 0
      if (markMapped(store, { id: item.id, peopleKept }) === 0) continue
      if (item.peopleKept === 0) applyPeopleChanges(store, item, changes)
      let copies = 0
      const places = freePlaces(store, { inboxId: item.id })
      const isAnew = places.length > 0
      for (const delivery of deliveries) {
        if (!record(store, item, delivery, open, now)) copies += 1
        else if (isAnew) takePlace(store, places, { tenant: item.tenant, ...delivery }, now)
      }
      if (isAnew) forgetPlaces(store, { inboxId: item.id })
      if (copies > 0) recordCopies(store, { id: item.id, copies })
    }
  })
}

/** Whether the delivery is new. */
function record(store: Store, { id, tenant }: InboxRow, delivery: NewDelivery, open: OpenUsers, now: number) {
  const { destination, userKey, state } = delivery
  const isPending = state === 'pending'
  const head = isPending && !open.has(tenant, destination, userKey) ? 1 : 0
  const settledAt = isPending ? null : now
  const isNew = insertDelivery(store, { ...delivery, inboxId: id, tenant, head, now, settledAt }) > 0
  if (isNew && isPending) open.add(tenant, destination, userKey)
  return isNew
}

/** Who has something open, asked once in a transaction. */
class OpenUsers {
  readonly #known = new Map<string, boolean>()

  constructor(private readonly store: Store) {}

  has(tenant: string, destination: Destination, userKey: string): boolean {
    const key = keyOf(tenant, destination, userKey)
    const known = this.#known.get(key)
    if (known !== undefined) return known
    const found = hasOpen(this.store, tenant, destination, userKey)
    this.#known.set(key, found)
    return found
  }

  add(tenant: string, destination: Destination, userKey: string): void {
    this.#known.set(keyOf(tenant, destination, userKey), true)
  }
}

function keyOf(tenant: string, destination: Destination, userKey: string): string {
  return `${destination} ${tenant} ${userKey}`
}

function applyPeopleChanges(
  store: Store,
  { tenant, receivedAt: now }: InboxRow,
  changes: readonly PeopleChange[],
): void {
  /** Who is known to exist: what one item says of a user comes in several changes. */
  const touched = new Set<string>()
  const touchKnownUser = (userId: string) => {
    if (touched.has(userId)) return
    touched.add(userId)
    people.touchUser(store, { tenant, userId, email: null, refinerUuid: null, now })
  }
  for (const change of changes) {
    switch (change.kind) {
      case 'user': {
        const { userId, email, refinerUuid, traits } = change
        touched.add(userId)
        const [known] = people.touchUser(store, { tenant, userId, email, refinerUuid, now })
        const merged = merge(known!.traits, traits)
        if (merged !== null) people.setUserTraits(store, { tenant, userId, traits: merged })
        break
      }
      case 'account': {
        const { accountId, userId, traits } = change
        const [known] = people.touchAccount(store, { tenant, accountId, now })
        const merged = merge(known!.traits, traits)
        if (merged !== null) people.setAccountTraits(store, { tenant, accountId, traits: merged })
        if (userId === null) break
        touchKnownUser(userId)
        people.touchMembership(store, { tenant, userId, accountId, now })
        break
      }
      case 'event': {
        const { userId, name, at } = change
        touchKnownUser(userId)
        people.countUserEvent(store, { tenant, userId, name, at })
        break
      }
      case 'response':
        people.keepResponse(store, responseRow(tenant, change.response, now))
        break
    }
  }
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
