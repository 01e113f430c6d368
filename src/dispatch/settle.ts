import type { DeliverySettings } from '../contracts/configuration.ts'
import type { LeasedDelivery, Outcome } from '../contracts/delivery.ts'
import { recordAttempt } from '../store/attempts.ts'
import type { DueDelivery, LaneKey } from '../store/due.ts'
import { settleHead } from '../store/heads.ts'
import type { Store } from '../store/open.ts'
import { retryDelivery, returnDelivery, settleDelivery } from '../store/outbox.ts'
import { backoffMs, isExhausted } from './retry-policy.ts'

/** What became of a delivery after an attempt. */
export interface Settled {
  readonly delivery: LeasedDelivery
  readonly state: 'delivered' | 'dead' | 'pending'
  /** Why, unless it was delivered. */
  readonly reason: string | null
}

/** One send and what came of it. */
export interface Sent {
  readonly lease: string
  readonly deliveries: readonly DueDelivery[]
  /** In the order of the deliveries. */
  readonly outcomes: readonly Outcome[]
  /** When what was held back by the lane is due again, in ms since 1970. */
  readonly notBefore: number
}

/** Writes down what came of one send, in one commit. Deliveries whose lease has passed on are left alone. */
export function settle(
  store: Store,
  { tenant, destination }: LaneKey,
  { lease, deliveries, outcomes, notBefore }: Sent,
  settings: DeliverySettings,
  now: number,
  random: () => number,
): Settled[] {
  const one = (delivery: LeasedDelivery, outcome: Outcome): Settled => {
    const { id } = delivery
    const dead = (reason: string, answer: string | null): Settled => {
      settleDelivery(store, { id, lease, state: 'dead', reason, answer, now })
      return { delivery, state: 'dead', reason }
    }
    switch (outcome.kind) {
      case 'delivered':
        settleDelivery(store, { id, lease, state: 'delivered', reason: null, answer: null, now })
        return { delivery, state: 'delivered', reason: null }
      case 'rejected':
        recordAttempt(store, id, outcome, now)
        return dead(outcome.reason, outcome.answer)
      case 'retry': {
        const { reason } = outcome
        recordAttempt(store, id, outcome, now)
        const attempts = delivery.attempts + 1
        if (isExhausted(settings, delivery.firstAttemptAt ?? now, now)) {
          return dead(`given up after ${attempts} attempts; the last one: ${reason}`, outcome.answer)
        }
        const wait = Math.ceil(backoffMs(settings, attempts, outcome.retryAfterMs, random()))
        retryDelivery(store, { id, lease, reason, now, notBefore: now + wait })
        return { delivery, state: 'pending', reason }
      }
      case 'throttled':
      case 'unauthorized':
        recordAttempt(store, id, outcome, now)
        returnDelivery(store, { id, lease, reason: outcome.reason, notBefore: Math.ceil(notBefore) })
        return { delivery, state: 'pending', reason: outcome.reason }
    }
  }
  return store.transaction(() => {
    const settled = deliveries.map((delivery, index) => one(delivery, outcomes[index] ?? UNREPORTED))
    const users = new Set(deliveries.map(({ userKey }) => userKey))
    for (const userKey of users) settleHead(store, { tenant, destination, userKey }, now)
    return settled
  })
}

const UNREPORTED: Outcome = {
  kind: 'retry',
  reason: 'no outcome was reported',
  retryAfterMs: null,
  status: null,
  answer: null,
}
