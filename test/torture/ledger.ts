import type { Destination } from '../../src/contracts/delivery.ts'

/** A webhook of Refiner on its way to Segment, or a message of Segment on its way to Refiner. */
export type Way = 'webhook' | 'message'

/** One thing that is sent in: the number `n` of a user, each of whom sends one after the other. */
export interface Item {
  readonly tenant: string
  readonly way: Way
  readonly user: string
  readonly n: number
}

/** The item's name, which what is made of it carries along. */
export function nameOf({ tenant, way, user, n }: Item): string {
  return `${tenant}/${way}/${user}/${n}`
}

/** What a peer took. */
export interface Arrival {
  readonly destination: Destination
  /** Whose key it came with; null when it is nobody's. */
  readonly tenant: string | null
  readonly call: string
  readonly name: string
  /** Null where the destination is given none. */
  readonly messageId: string | null
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
}

const CALLS: Readonly<Record<Way, readonly string[]>> = { webhook: ['identify', 'track'], message: ['track'] }
const TO: Readonly<Record<Way, Destination>> = { webhook: 'segment', message: 'refiner' }

/** Writes down what was sent, acknowledged and received, and compares them. */
export class Ledger {
  readonly #sent = new Set<string>()
  readonly #acknowledged = new Map<string, Item>()
  readonly #refused = new Set<string>()
  readonly #arrivals: Arrival[] = []

  /** Before it is sent: from here on it may arrive. */
  sent(item: Item): void {
    this.#sent.add(nameOf(item))
  }

  /** From here on it must arrive. */
  acknowledged(item: Item): void {
    this.#acknowledged.set(nameOf(item), item)
  }

  arrived(arrival: Arrival): void {
    this.#arrivals.push(arrival)
  }

  /** The peer said that it never wants it: it is given up, and comes by a replay, when later ones have gone by. */
  refused(arrival: Arrival): void {
    this.#refused.add(keyOf(arrival))
  }

  get acknowledgedCount(): number {
    return this.#acknowledged.size
  }

  verdict(): Verdict {
    const first = new Map<string, Arrival>()
    const owners = new Map<string, string>()
    const copies = { segment: 0, refiner: 0 }
    const otherMessageId: string[] = []
    for (const arrival of this.#arrivals) {
      const key = keyOf(arrival)
      const before = first.get(key)
      if (before === undefined) first.set(key, arrival)
      else copies[arrival.destination] += 1
      if (arrival.messageId === null) continue
      const owner = `${arrival.tenant} ${arrival.messageId}`
      if ((before ?? arrival).messageId !== arrival.messageId || (owners.get(owner) ?? key) !== key) {
        otherMessageId.push(key)
      }
      owners.set(owner, key)
    }
    return {
      acknowledged: { webhook: this.#countOf('webhook'), message: this.#countOf('message') },
      delivered: {
        segment: [...first.values()].filter(({ destination }) => destination === 'segment').length,
        refiner: [...first.values()].filter(({ destination }) => destination === 'refiner').length,
      },
      copies,
      lost: this.#lost(first),
      invented: [...first.values()].filter((arrival) => !this.#isOurs(arrival)).map(keyOf),
      outOfOrder: this.#outOfOrder(first),
      otherMessageId,
      wrongTenant: this.#arrivals
        .filter(({ name, tenant }) => name.split('/')[0] !== tenant)
        .map((arrival) => `${keyOf(arrival)} came to ${arrival.tenant}`),
    }
  }

  #countOf(way: Way): number {
    let count = 0
    for (const item of this.#acknowledged.values()) if (item.way === way) count += 1
    return count
  }

  #lost(first: ReadonlyMap<string, Arrival>): string[] {
    const lost: string[] = []
    for (const [name, { way }] of this.#acknowledged) {
      for (const call of CALLS[way]) {
        const key = keyOf({ destination: TO[way], call, name })
        if (!first.has(key)) lost.push(key)
      }
    }
    return lost
  }

  #isOurs({ name, call, destination }: Arrival): boolean {
    const way = name.split('/')[1] as Way | undefined
    return way !== undefined && this.#sent.has(name) && TO[way] === destination && CALLS[way].includes(call)
  }

  #outOfOrder(first: ReadonlyMap<string, Arrival>): string[] {
    const wrong: string[] = []
    const last = new Map<string, number>()
    for (const [key, { name, call, destination }] of first) {
      if (this.#refused.has(key)) continue
      const [tenant, way, user, n] = name.split('/')
      const lane = `${destination} ${tenant} ${user}`
      const rank = Number(n) * 2 + CALLS[way as Way].indexOf(call)
      if (rank <= (last.get(lane) ?? -1)) wrong.push(key)
      else last.set(lane, rank)
    }
    return wrong
  }
}

function keyOf({ destination, call, name }: Pick<Arrival, 'destination' | 'call' | 'name'>): string {
  return `${destination} ${call} ${name}`
}
