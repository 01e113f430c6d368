import type { Destination, FreshDelivery, NewDelivery, Reservation, Reserve } from '../contracts/delivery.ts'
import type { JsonObject } from '../contracts/json.ts'
import type { KeptResponse, PeopleChange } from '../contracts/people.ts'
import { doomedItems } from './doomed.ts'
import { type InboxRow, markMapped, recordCopies } from './inbox.ts'
import type { Store } from './open.ts'
import { hasOpen, insertDelivery } from './outbox.ts'
import { linkContact, seeUser } from './identities.ts'
import * as people from './people.ts'
import { dropItem, ForgottenKeys, requestForget } from './forgotten-items.ts'
import { forgetPlaces, freePlaces, takePlace } from './places.ts'
import { broughtBy, webhookCame } from './poll-places.ts'

/** What an inbox item became. */
export interface MappedItem {
  readonly item: InboxRow
  readonly deliveries: readonly NewDelivery[]
  readonly people: readonly PeopleChange[]
  /** It is of somebody who was forgotten or is suppressed: nothing of it is kept. */
  readonly isForgotten?: boolean
}

/**
 * Keeps what inbox items became and marks them as mapped, all in one commit. A power cut may undo it: then the items
 * are mapped again, to the same message IDs. Lanes that are ready to send get what they may send at once.
 */
export function recordMapped(
  store: Store,
  mapped: readonly MappedItem[],
  now: number,
  reserve: Reserve = () => null,
): void {
  const reserved = new Reservations(reserve)
  store.relaxedTransaction(() => {
    const open = new OpenUsers(store)
    const forgotten = new ForgottenKeys(store)
    // What was at a plugin when its person was forgotten must not bring them back.
    const doomed = doomedItems(
      store,
      mapped.map(({ item }) => item.id),
    )
    for (const { item, deliveries, people: changes, isForgotten = false } of mapped) {
      if (isForgotten || doomed.has(item.id)) {
        dropItem(store, item.id)
        continue
      }
      const peopleKept = item.peopleKept === 1 || changes.length > 0 ? 1 : 0
      if (markMapped(store, { id: item.id, peopleKept }) === 0) continue
      if (item.peopleKept === 0) applyPeopleChanges(store, item, changes)
      let copies = 0
      const places = freePlaces(store, { inboxId: item.id })
      const isAnew = places.length > 0
      for (const delivery of deliveries) {
        if (delivery.call === 'delete') requestForget(store, { inboxId: item.id })
        else if (forgotten.has(item.tenant, delivery.userKey)) continue
        const ready = isAnew ? NOBODY : reserved
        if (!record(store, item, delivery, { open, ready, now })) {
          copies += 1
          if (copies === 1) noteWebhook(store, item, delivery)
        } else if (isAnew) takePlace(store, places, { tenant: item.tenant, ...delivery }, now)
      }
      if (isAnew) forgetPlaces(store, { inboxId: item.id })
      if (copies > 0) recordCopies(store, { id: item.id, copies })
    }
  })
  reserved.go()
}

/** Of a copy, one may have come by its webhook and the other one by polling: then the webhook has not missed it. */
function noteWebhook(store: Store, item: InboxRow, { destination, messageId }: NewDelivery): void {
  const { tenant, origin } = item
  if (destination !== 'segment' || origin === 'backfill') return
  const [first] = broughtBy(store, { tenant, messageId })
  if (first === undefined) return
  if (origin === 'webhook' && first.origin === 'poll') webhookCame(store, first.inboxId)
  if (origin === 'poll' && first.origin === 'webhook') webhookCame(store, item.id)
}

/** Whether the delivery is new. */
function record(
  store: Store,
  { id: inboxId, tenant }: InboxRow,
  delivery: NewDelivery,
  { open, ready, now }: { open: OpenUsers; ready: Reservations; now: number },
): boolean {
  const { destination, userKey, state, payload } = delivery
  const row = {
    ...delivery,
    inboxId,
    tenant,
    head: 0,
    lease: null,
    leasedUntil: null,
    now,
    settledAt: now,
  } as const
  if (state !== 'pending' || payload === null) return insertDelivery(store, row) !== null
  const isFirst = !open.has(tenant, destination, userKey)
  const batch = ready.placeFor(tenant, { ...delivery, payload }, isFirst)
  const id = insertDelivery(store, {
    ...row,
    head: isFirst ? 1 : 0,
    ...(isFirst && batch !== null
      ? { state: 'leased', lease: batch.lease, leasedUntil: batch.leasedUntil }
      : undefined),
    settledAt: null,
  })
  if (id === null) return false
  open.add(tenant, destination, userKey)
  if (batch !== null) ready.add(batch, id, tenant, { ...delivery, payload })
  return true
}

/** The batches that lanes are ready to send, asked for once in a transaction, and whose deliveries are in them. */
class Reservations {
  readonly #batches = new Map<string, Reservation | null>()
  readonly #users = new Set<string>()

  constructor(private readonly reserve: Reserve) {}

  /** The batch that the delivery may go into: one that is not its user's first only behind those before it. */
  placeFor(
    tenant: string,
    delivery: FreshDelivery & { destination: Destination },
    isFirst: boolean,
  ): Reservation | null {
    const { destination, userKey } = delivery
    if (!isFirst && !this.#users.has(keyOf(tenant, destination, userKey))) return null
    const lane = `${destination} ${tenant}`
    let batch = this.#batches.get(lane)
    if (batch === undefined) {
      batch = this.reserve(tenant, destination)
      this.#batches.set(lane, batch)
    }
    return batch?.hasPlace(delivery) ? batch : null
  }

  add(
    batch: Reservation,
    id: number,
    tenant: string,
    delivery: FreshDelivery & { destination: Destination },
  ): void {
    batch.add(id, delivery)
    this.#users.add(keyOf(tenant, delivery.destination, delivery.userKey))
  }

  go(): void {
    for (const batch of this.#batches.values()) batch?.go()
  }
}

const NOBODY = new Reservations(() => null)

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

/** Keeps what is said about people, by something that came at that time. To be called within a transaction. */
export function applyPeopleChanges(
  store: Store,
  { tenant, receivedAt: now }: Pick<InboxRow, 'tenant' | 'receivedAt'>,
  changes: readonly PeopleChange[],
): void {
  /** Who is known to exist: what one item says of a user comes in several changes. */
  const touched = new Set<string>()
  const touchKnownUser = (userId: string) => {
    if (touched.has(userId)) return
    touched.add(userId)
    seeUser(store, { tenant, userId, email: null, refinerUuid: null, now })
  }
  for (const change of changes) {
    switch (change.kind) {
      case 'user': {
        const { userId, email, refinerUuid, traits } = change
        touched.add(userId)
        const known = seeUser(store, { tenant, userId, email, refinerUuid, now })
        const merged = merge(known, traits)
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
      case 'contact': {
        const { uuid, userId, email, cookieUuid } = change
        if (userId !== null) touchKnownUser(userId)
        linkContact(store, { tenant, uuid, userId, email, cookieUuid, now })
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
