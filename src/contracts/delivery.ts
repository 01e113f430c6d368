import type { Call } from './call.ts'

export type Destination = 'segment' | 'refiner'

/**
 * What a delivery is. `sync-segment` and `unsync-segment` put a user into a manual segment of Refiner and take it out;
 * `all` stands for every message of an item that was skipped, or failed to map, as a whole.
 */
export type DeliveryCall = Call | 'sync-segment' | 'unsync-segment' | 'delete' | 'all'

/** One message on its way to one destination, as the mapping makes it. */
export interface NewDelivery {
  readonly destination: Destination
  readonly call: DeliveryCall
  /** Deliveries with the same key go out one after the other, in order of arrival. */
  readonly userKey: string
  /** Unique per tenant and destination: the same ID again is the same delivery and is not stored twice. */
  readonly messageId: string
  /** The JSON text to send, UTF-8; null where nothing is to be sent. */
  readonly payload: string | null
  readonly state: 'pending' | 'skipped' | 'dead'
  /** Why it is skipped or dead; null while it is pending. For logs: it quotes nothing that was received. */
  readonly reason: string | null
  /** What a plugin said of why, which may quote what was received; null where there is no more to say. */
  readonly detail: string | null
  /** What the mapping could not do as it was told, such as a rule that failed; null when all went well. */
  readonly notes: string | null
}

/** What a lane needs of a delivery that has just been made. */
export type FreshDelivery = Pick<NewDelivery, 'call' | 'userKey' | 'messageId'> & { readonly payload: string }

/**
 * A batch that a lane is ready to send now, and in which deliveries get a place as they are written down: under its
 * lease where they are their user's first, and behind those. What is not written is to be forgotten.
 */
export interface Reservation {
  readonly lease: string
  /** In ms since 1970. */
  readonly leasedUntil: number
  hasPlace(delivery: FreshDelivery): boolean
  add(id: number, delivery: FreshDelivery): void
  /** To be called once all of it is committed. */
  go(): void
}

/** Answers null where a lane has no use for one now. */
export type Reserve = (tenant: string, destination: Destination) => Reservation | null

/** A delivery that a lane has taken and must settle. */
export interface LeasedDelivery {
  readonly id: number
  readonly call: DeliveryCall
  readonly messageId: string
  readonly payload: string
  /** Attempts made before this one. */
  readonly attempts: number
  /** When an attempt first failed, in ms since 1970; null before that. */
  readonly firstAttemptAt: number | null
}

/** What a destination made of one delivery. `reason` is for people: no secrets, no personal data. */
export type Outcome =
  | { readonly kind: 'delivered' }
  /** A passing fault: counts an attempt and backs off, at least as long as the destination asked for. */
  | ({ readonly kind: 'retry'; readonly retryAfterMs: number | null } & Failure)
  /** Too many requests: pauses the whole lane and counts nothing. */
  | ({ readonly kind: 'throttled'; readonly retryAfterMs: number | null } & Failure)
  /** The key is refused: pauses the whole lane until it is mended, and counts nothing. */
  | ({ readonly kind: 'unauthorized' } & Failure)
  /** The destination will never take this message. */
  | ({ readonly kind: 'rejected' } & Failure)

/** Why an attempt failed. */
export interface Failure {
  readonly reason: string
  /** HTTP's status; null without an answer. */
  readonly status: number | null
  /** What the destination said, cut short; null without an answer. It may quote what was sent. */
  readonly answer: string | null
}

/** The most that goes into one `send`. */
export interface BatchLimits {
  readonly messages: number
  /** UTF-8 bytes of the payloads together, the commas between them included. */
  readonly bytes: number
  /** How many `send` calls may be under way at once. */
  readonly concurrency: number
  /** `identifies`: only identifies of one user, one behind the other, go together; everything else goes alone. */
  readonly together: 'all' | 'identifies'
}

/** How a lane ends what a sender is at. */
export interface SendSignals {
  /** Nothing more is to be started: what has not been sent is `throttled`. */
  readonly stopping: AbortSignal
  /** What is under way is broken off: its outcome is `retry`. */
  readonly aborting: AbortSignal
}

/** Sends deliveries to one tenant's account at one destination. */
export interface Sender {
  readonly limits: BatchLimits
  /** One outcome a delivery, in the same order. Never rejects. */
  send(deliveries: readonly LeasedDelivery[], signals: SendSignals): Promise<readonly Outcome[]>
}
