import type { DeliverySettings } from '../contracts/configuration.ts'
import type { LeasedDelivery, Outcome } from '../contracts/delivery.ts'
import type { Store } from '../store/open.ts'
import { retryDelivery, returnDelivery, settleDelivery } from '../store/outbox.ts'
import { backoffMs, isExhausted } from './retry-policy.ts'

/** What became of a delivery after an attempt. */
export interface Settled {
  readonly delivery: LeasedDelivery
  readonly state: 'delivered' | 'dead' | 'pending'
  /** Why, unless it was delivered. */
  readonly reason: string | null
  /** When it is to be tried again, in ms since 1970; null when nothing but the lane holds it back. */
  readonly notBefore: number | null
}

/** Writes down the outcomes of one send, in one commit. Those whose lease has passed on are left alone. */
export function settle(
  store: Store,
  lease: string,
  deliveries: readonly LeasedDelivery[],
  outcomes: readonly Outcome[],
  settings: DeliverySettings,
  now: number,
  random: () => number,
): Settled[] {
  return store.transaction(() =>
    deliveries.map((delivery, index) => {
      const outcome = outcomes[index] ?? {
        kind: 'retry',
        reason: 'no outcome was reported',
        retryAfterMs: null,
      }
      return settleOne(store, lease, delivery, outcome, settings, now, random)
    }),
  )
}

function settleOne(
  store: Store,
  lease: string,
  delivery: LeasedDelivery,
  outcome: Outcome,
  settings: DeliverySettings,
  now: number,
  random: () => number,
): Settled {
  const { id } = delivery
  const dead = (reason: string, answer: string | null): Settled => {
    settleDelivery(store, { id, lease, state: 'dead', reason, answer, now })
    return { delivery, state: 'dead', reason, notBefore: null }
  }
  switch (outcome.kind) {
    case 'delivered':
      settleDelivery(store, { id, lease, state: 'delivered', reason: null, answer: null, now })
      return { delivery, state: 'delivered', reason: null, notBefore: null }
    case 'rejected':
      return dead(outcome.reason, outcome.answer)
    case 'retry': {
      const { reason } = outcome
      const attempts = delivery.attempts + 1
      if (isExhausted(settings, delivery.firstAttemptAt ?? now, now)) {
        return dead(`given up after ${attempts} attempts; the last one: ${reason}`, null)
      }
      const notBefore = now + Math.ceil(backoffMs(settings, attempts, outcome.retryAfterMs, random()))
      retryDelivery(store, { id, lease, reason, now, notBefore })
      return { delivery, state: 'pending', reason, notBefore }
    }
    case 'throttled':
    case 'unauthorized':
      returnDelivery(store, { id, lease, reason: outcome.reason })
      return { delivery, state: 'pending', reason: outcome.reason, notBefore: null }
  }
}
