import type { DeliverySettings } from '../contracts/configuration.ts'
import type { LeasedDelivery, Outcome } from '../contracts/delivery.ts'
import { recordAttempt } from '../store/attempts.ts'
import type { DueDelivery, LaneKey } from '../store/due.ts'
import { settleErasure } from '../store/erasures.ts'
import { advanceHeads, settleHead } from '../store/heads.ts'
import type { Store } from '../store/open.ts'
import {
  isStill,
  retryDelivery,
  returnDelivery,
  settleDead,
  settleDelivered,
  usersUnder,
} from '../store/outbox.ts'
import { backoffMs, isExhausted } from './retry-policy.ts'

/** What became of a delivery after an attempt. */
export interface Settled {
  readonly delivery: LeasedDelivery
  readonly state: 'delivered' | 'dead' | 'pending'
  /** Why, unless it was delivered. */
  readonly reason: string | null
  /** Whether it waits for a key that is taken. */
  readonly isKeyRefused: boolean
}

/** One send and what came of it. */
export interface Sent {
  readonly lease: string
  readonly deliveries: readonly DueDelivery[]
  /** In the order of the deliveries. */
  readonly outcomes: readonly Outcome[]
  /** When what was held back by the lane is due again, in ms since 1970. */
  readonly notBefore: number
  /** False when the disk has failed since: then what was written before may be gone, and IDs be those of others. */
  readonly isCertain: boolean
}

/** Writes down what came of one send, in one commit. Users whose lease has passed on are left alone. */
export function settle(
  store: Store,
  { tenant, destination }: LaneKey,
  { lease, deliveries, outcomes, notBefore, isCertain }: Sent,
  settings: DeliverySettings,
  now: number,
  random: () => number,
): Settled[] {
  /** Writes down what is not delivered; what is goes into one statement. */
  const one = (delivery: LeasedDelivery, outcome: Outcome): Settled => {
    const { id } = delivery
    const dead = (reason: string, answer: string | null): Settled => {
      settleDead(store, { id, lease, reason, answer, now })
      return { delivery, state: 'dead', reason, isKeyRefused: false }
    }
    switch (outcome.kind) {
      case 'delivered':
        return { delivery, state: 'delivered', reason: null, isKeyRefused: false }
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
        return { delivery, state: 'pending', reason, isKeyRefused: false }
      }
      case 'throttled':
      case 'unauthorized':
        recordAttempt(store, id, outcome, now)
        returnDelivery(store, { id, lease, reason: outcome.reason, notBefore: Math.ceil(notBefore) })
        return {
          delivery,
          state: 'pending',
          reason: outcome.reason,
          isKeyRefused: outcome.kind === 'unauthorized',
        }
    }
  }
  return store.transaction(() => {
    const held = usersUnder(store, lease)
    const ours = deliveries.map((delivery, index) => ({ delivery, outcome: outcomes[index] ?? UNREPORTED }))
    const mine = ours.filter(
      ({ delivery }) => held.has(delivery.userKey) && (isCertain || isStill(store, delivery)),
    )
    const delivered = mine
      .filter(({ outcome }) => outcome.kind === 'delivered')
      .map(({ delivery }) => delivery.id)
    if (delivered.length > 0) settleDelivered(store, { ids: JSON.stringify(delivered), lease, now })
    const settled = mine.map(({ delivery, outcome }) => one(delivery, outcome))
    settled.forEach(({ delivery, state }, index) => {
      const { outcome } = mine[index]!
      const status = outcome.kind === 'delivered' ? null : outcome.status
      if (delivery.call === 'delete') settleErasure(store, delivery.id, { state, status, now })
    })
    // Somebody may have replayed what comes before that which is to be tried again.
    const retried = new Set(mine.filter(({ outcome }) => outcome.kind !== 'delivered').map(userOf))
    for (const userKey of retried) settleHead(store, { tenant, destination, userKey }, now)
    const users = JSON.stringify([...held].filter((userKey) => !retried.has(userKey)))
    advanceHeads(store, { tenant, destination, users, now })
    return settled
  })
}

const userOf = ({ delivery }: { delivery: DueDelivery }) => delivery.userKey

const UNREPORTED: Outcome = {
  kind: 'retry',
  reason: 'no outcome was reported',
  retryAfterMs: null,
  status: null,
  answer: null,
}
