import { withResponse } from '../fixtures/refiner-webhook.ts'
import { basic, bearer, postTo } from '../support/loop.ts'
import { isIdentify, traitsOf } from './identifies.ts'
import { type Item, nameOf, type Way } from './item.ts'
import type { Ledger } from './ledger.ts'
import type { Chance } from './random.ts'

export const TENANTS = ['acme', 'umbra'] as const
const WAYS = ['webhook', 'message'] as const
const USERS_EACH = 6
/** On the average, between two items of one user. */
const PAUSE_MS = 12
const SLOW_PAUSE_MS = 150

export interface SendersParts {
  readonly ledger: Ledger
  readonly random: Chance
  /** Where the daemon listens, once it does. */
  readonly up: () => Promise<string>
}

/** Answers that nobody should give, by their status. */
export type Oddities = Map<number, number>

/** Users of two tenants, both ways: each sends one item after the other, and each again until it is acknowledged. */
export class Senders {
  #running = true
  #pauseMs = PAUSE_MS
  readonly oddities: Oddities = new Map()
  readonly #done: Promise<unknown>

  constructor(private readonly parts: SendersParts) {
    const users = TENANTS.flatMap((tenant) =>
      WAYS.flatMap((way) =>
        Array.from({ length: USERS_EACH }, (_, index) => this.#send(tenant, way, `${way}-user-${index}`)),
      ),
    )
    this.#done = Promise.all(users)
  }

  /** Sends less while `work` takes its time, so that what it works on does not grow faster than it gets on. */
  async slowly<T>(work: () => Promise<T>): Promise<T> {
    this.#pauseMs = SLOW_PAUSE_MS
    try {
      return await work()
    } finally {
      this.#pauseMs = PAUSE_MS
    }
  }

  /** Nothing new is sent; what may not have been taken stays unacknowledged. To be called while the daemon is up. */
  async stop(): Promise<void> {
    this.#running = false
    await this.#done
  }

  async #send(tenant: string, way: Way, user: string): Promise<void> {
    let n = 0
    while (this.#running) {
      const item = { tenant, way, user, n }
      this.parts.ledger.sent(item)
      const status = await this.#attempt(item)
      if (status === 200) {
        this.parts.ledger.acknowledged(item)
        n += 1
      } else if (status !== null && status !== 503) {
        this.oddities.set(status, (this.oddities.get(status) ?? 0) + 1)
      }
      await Bun.sleep(this.parts.random.between(0, 2 * this.#pauseMs))
    }
  }

  /** The status of the answer; null when there was none. */
  async #attempt(item: Item): Promise<number | null> {
    try {
      const response = await post(await this.parts.up(), item)
      // An answer that breaks off is none.
      await response.text()
      return response.status
    } catch {
      return null
    }
  }
}

/** The webhook of an item: the answer carries its name to Segment. */
export function webhookOf(item: Item): Record<string, unknown> {
  const name = nameOf(item)
  return withResponse(
    { uuid: Bun.randomUUIDv5(name, 'url'), data: { name } },
    { remote_id: item.user, account: null },
  )
}

function post(url: string, item: Item): Promise<Response> {
  const { tenant, way, user } = item
  switch (way) {
    case 'webhook':
      return postTo(url, `/v1/refiner/${tenant}`, webhookOf(item), bearer(`${tenant}-webhook-secret`))
    case 'message': {
      const name = nameOf(item)
      const said = isIdentify(item)
        ? { type: 'identify', traits: traitsOf(item) }
        : { type: 'track', event: name }
      return postTo(
        url,
        '/v1/segment',
        { ...said, userId: user, messageId: name },
        basic(`${tenant}-destination-key`),
      )
    }
  }
}
