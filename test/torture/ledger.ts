import type { Destination } from '../../src/contracts/delivery.ts'
import { type IdentifyBody, isIdentify, RefinerUsers } from './identifies.ts'
import { type Item, itemOf, nameOf, type Way } from './item.ts'

/** One thing that arrived with a request. */
export interface Arrival {
  readonly destination: Destination
  /** Whose key it came with; null when it is nobody's. */
  readonly tenant: string | null
  readonly call: string
  readonly name: string
  /** Null where the destination is given none. */
  readonly messageId: string | null
}

/** What a peer was given with one request. */
export interface Taken {
  readonly arrivals: readonly Arrival[]
  /** The user as Refiner is told of it; null when the request is about something else. */
  readonly identified: IdentifyBody | null
}

/** What came of it all: names of what went wrong, at most some of each. */
export interface Verdict {
  readonly acknowledged: Readonly<Record<Way, number>>
  readonly delivered: Readonly<Record<Destination, number>>
  /** Came again, with the same message ID. */
  readonly copies: Readonly<Record<Destination, number>>
  readonly lost: readonly string[]
  readonly invented: readonly string[]
  /** First came after a later one of its user. */
  readonly outOfOrder: readonly string[]
  /** Came again with another message ID, or has the one of something else. */
  readonly otherMessageId: readonly string[]
  readonly wrongTenant: readonly string[]
  /** Users whose traits at Refiner are not those of their latest identify, or came together as nobody sent them. */
  readonly wrongTraits: readonly string[]
  /** Calls to Refiner that carried more than one identify. */
  readonly merged: number
}

/** What an item becomes, in this order. */
function callsOf(item: Item): readonly string[] {
  switch (item.way) {
    case 'webhook':
      return ['identify', 'track']
    case 'message':
      return [isIdentify(item) ? 'identify' : 'track']
  }
}

const TO: Readonly<Record<Way, Destination>> = { webhook: 'segment', message: 'refiner' }

/** Writes down what was sent, acknowledged and received, and compares them. */
export class Ledger {
  readonly #sent = new Set<string>()
  readonly #acknowledged = new Map<string, Item>()
  readonly #refused = new Set<string>()
  /** By what arrived, as it came first; in that order. */
  readonly #first = new Map<string, Arrival>()
  /** What a message ID stands for. */
  readonly #owners = new Map<string, string>()
  readonly #copies = { segment: 0, refiner: 0 }
  readonly #otherMessageId: string[] = []
  readonly #wrongTenant: string[] = []
  readonly #users = new RefinerUsers()

  /** Before it is sent: from here on it may arrive. */
  sent(item: Item): void {
    this.#sent.add(nameOf(item))
  }

  /** From here on it must arrive. */
  acknowledged(item: Item): void {
    this.#acknowledged.set(nameOf(item), item)
  }

  took({ arrivals, identified }: Taken): void {
    for (const arrival of arrivals) this.#arrived(arrival)
    if (identified !== null) this.#users.take(arrivals[0]?.tenant ?? null, identified)
  }

  /**
   * The peer said that it never wants it: it is given up, and comes by a replay, when later ones have gone by. Identifies
   * that were refused together are not: they are sent again one by one.
   */
  refused({ arrivals, identified }: Taken): void {
    if (identified !== null && arrivals.length > 1) return
    for (const arrival of arrivals) this.#refused.add(keyOf(arrival))
  }

  get acknowledgedCount(): number {
    return this.#acknowledged.size
  }

  verdict(): Verdict {
    const first = [...this.#first.values()]
    const identifies = [...this.#acknowledged.values()].filter(
      (item) => item.way === 'message' && isIdentify(item),
    )
    const wasRefused = (item: Item) =>
      this.#refused.has(keyOf({ destination: 'refiner', call: 'identify', name: nameOf(item) }))
    return {
      acknowledged: { webhook: this.#countOf('webhook'), message: this.#countOf('message') },
      delivered: {
        segment: first.filter(({ destination }) => destination === 'segment').length,
        refiner: first.filter(({ destination }) => destination === 'refiner').length,
      },
      copies: this.#copies,
      lost: this.#lost(),
      invented: first.filter((arrival) => !this.#isOurs(arrival)).map(keyOf),
      outOfOrder: this.#outOfOrder(),
      otherMessageId: this.#otherMessageId,
      wrongTenant: this.#wrongTenant,
      wrongTraits: this.#users.wrong(identifies, wasRefused),
      merged: this.#users.merged,
    }
  }

  #arrived(arrival: Arrival): void {
    const { destination, tenant, name, messageId } = arrival
    const key = keyOf(arrival)
    const before = this.#first.get(key)
    if (before === undefined) this.#first.set(key, arrival)
    else this.#copies[destination] += 1
    if (itemOf(name).tenant !== tenant) this.#wrongTenant.push(`${key} came to ${tenant}`)
    if (messageId === null) return
    const owner = `${tenant} ${messageId}`
    if ((before ?? arrival).messageId !== messageId || (this.#owners.get(owner) ?? key) !== key) {
      this.#otherMessageId.push(key)
    }
    this.#owners.set(owner, key)
  }

  #countOf(way: Way): number {
    let count = 0
    for (const item of this.#acknowledged.values()) if (item.way === way) count += 1
    return count
  }

  #lost(): string[] {
    const lost: string[] = []
    for (const [name, item] of this.#acknowledged) {
      for (const call of callsOf(item)) {
        const key = keyOf({ destination: TO[item.way], call, name })
        if (!this.#first.has(key)) lost.push(key)
      }
    }
    return lost
  }

  #isOurs({ name, call, destination }: Arrival): boolean {
    if (!this.#sent.has(name)) return false
    const item = itemOf(name)
    return TO[item.way] === destination && callsOf(item).includes(call)
  }

  #outOfOrder(): string[] {
    const wrong: string[] = []
    const last = new Map<string, number>()
    for (const [key, arrival] of this.#first) {
      if (this.#refused.has(key) || !this.#isOurs(arrival)) continue
      const { name, call, destination } = arrival
      const item = itemOf(name)
      const lane = `${destination} ${item.tenant} ${item.user}`
      const rank = item.n * 2 + callsOf(item).indexOf(call)
      if (rank <= (last.get(lane) ?? -1)) wrong.push(key)
      else last.set(lane, rank)
    }
    return wrong
  }
}

function keyOf({ destination, call, name }: Pick<Arrival, 'destination' | 'call' | 'name'>): string {
  return `${destination} ${call} ${name}`
}
