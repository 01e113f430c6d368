import type { InteractionKind } from './configuration.ts'
import type { JsonObject, JsonValue } from './json.ts'

/** One thing that happened with a survey. Timestamps are ISO 8601 with milliseconds, UTC; unknown ones are null. */
export interface Interaction {
  readonly kind: InteractionKind
  readonly occurredAt: string
  /** Of the report, byte for byte, where Refiner gives no moment; null where it does. */
  readonly fingerprint: string | null
  readonly survey: { readonly uuid: string | null; readonly name: string | null }
  readonly response: {
    readonly uuid: string | null
    readonly timestamps: Readonly<Record<ResponseTimestamp, string | null>>
    readonly tags: readonly JsonValue[] | null
  }
  /** Without the nulls. */
  readonly answers: JsonObject
  readonly user: {
    /** The contact's uuid at Refiner. */
    readonly uuid: string | null
    /** The user ID that the customer identified the user with. */
    readonly id: string | null
    readonly email: string | null
    readonly attributes: JsonObject
  }
  readonly account: { readonly id: string | null; readonly attributes: JsonObject }
  readonly segments: readonly { readonly uuid: string | null; readonly name: string | null }[]
  /** What Refiner sent. */
  readonly body: JsonObject
}

/** The moments of a response, as Refiner names them. */
export const RESPONSE_TIMESTAMPS = [
  'first_shown_at',
  'last_shown_at',
  'first_data_reception_at',
  'last_data_reception_at',
  'completed_at',
  'dismissed_at',
  'received_at',
] as const

export type ResponseTimestamp = (typeof RESPONSE_TIMESTAMPS)[number]
