import type { Destination } from '../contracts/delivery.ts'
import type { DeliveryDetails, DeliverySummary } from '../store/deliveries.ts'
import { redactAnswer } from '../store/redact.ts'

/** As the API shows a delivery: snake case, moments in ISO 8601. */
export interface ShownDelivery {
  readonly id: number
  readonly tenant: string
  readonly destination: Destination
  readonly call: string
  readonly state: string
  readonly reason: string | null
  readonly notes: string | null
  readonly attempts: number
  readonly created_at: string
  readonly settled_at: string | null
}

export interface ShownDetails extends ShownDelivery {
  readonly detail: string | null
  /** Without what looks like a key. */
  readonly answer: string | null
  readonly not_before: string
  readonly message_id: string
  readonly message: unknown
  /** Each attempt, the oldest first, those before a replay among them. */
  readonly tries: readonly ShownAttempt[]
  readonly replays: readonly ShownReplayOf[]
  readonly input: {
    readonly id: number
    readonly source: string
    readonly received_at: string
    readonly replays: number
    readonly body: unknown
  }
}

export interface ShownAttempt {
  readonly number: number
  /** Null for one of very many that came to the same. */
  readonly at: string | null
  /** HTTP's; null without an answer, and for one that was taken, which is any status from 200 to 299. */
  readonly status: number | null
  readonly result: 'delivered' | 'retry' | 'throttled' | 'unauthorized' | 'rejected'
  readonly reason: string | null
  readonly answer: string | null
}

/** A replay that the delivery went through, or that mapped its item anew because of the delivery named. */
export interface ShownReplayOf {
  readonly replay: number
  readonly delivery: number
  readonly at: string
  readonly by: string
  readonly how: string
  readonly reason: string
}

export function summary(delivery: DeliverySummary): ShownDelivery {
  const { id, tenant, destination, call, state, reason, notes, attempts, createdAt, settledAt } = delivery
  return {
    id,
    tenant,
    destination,
    call,
    state,
    reason,
    notes,
    attempts,
    created_at: iso(createdAt),
    settled_at: settledAt === null ? null : iso(settledAt),
  }
}

export function details(delivery: DeliveryDetails): ShownDetails {
  return {
    ...summary(delivery),
    detail: delivery.detail,
    answer: delivery.answer === null ? null : redactAnswer(delivery.answer),
    not_before: iso(delivery.notBefore),
    message_id: delivery.messageId,
    message: delivery.payload === null ? null : JSON.parse(delivery.payload),
    tries: triesOf(delivery),
    replays: delivery.replayedBy.map(({ deliveryId, at, ...replay }) => {
      return { ...replay, delivery: deliveryId, at: iso(at) }
    }),
    input: {
      id: delivery.inboxId,
      source: delivery.source,
      received_at: iso(delivery.receivedAt),
      replays: delivery.replays,
      body: JSON.parse(delivery.input),
    },
  }
}

/** What went well has no record of its own: the delivery itself says when that was. */
function triesOf({ state, settledAt, failedAttempts }: DeliveryDetails): ShownAttempt[] {
  const failed = failedAttempts.map(({ at, ...rest }) => ({ ...rest, at: at === null ? null : iso(at) }))
  if (state !== 'delivered' || settledAt === null) return failed
  const number = (failed.at(-1)?.number ?? 0) + 1
  const taken = { status: null, result: 'delivered', reason: null, answer: null } as const
  return [...failed, { number, at: iso(settledAt), ...taken }]
}

/** A moment in ms since 1970, in ISO 8601. */
export function iso(ms: number): string {
  return new Date(ms).toISOString()
}
