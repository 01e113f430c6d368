import type { JsonObject } from './json.ts'

/** What an item says about the people it concerns; the store keeps it. Times are milliseconds since 1970. */
export type PeopleChange =
  | {
      readonly kind: 'user'
      readonly userId: string
      readonly email: string | null
      readonly refinerUuid: string | null
      /** Merged into what is known. */
      readonly traits: JsonObject
    }
  | {
      readonly kind: 'account'
      readonly accountId: string
      /** The user who belongs to it; null when that is not known. */
      readonly userId: string | null
      readonly traits: JsonObject
    }
  | { readonly kind: 'event'; readonly userId: string; readonly name: string; readonly at: number }
  | {
      /** What else a contact of Refiner is known by; told only where a change of its user does not say it all. */
      readonly kind: 'contact'
      readonly uuid: string
      readonly userId: string | null
      readonly email: string | null
      /** The uuid that it had while it was anonymous. */
      readonly cookieUuid: string | null
    }
  | { readonly kind: 'response'; readonly response: KeptResponse }

export interface KeptResponse {
  readonly uuid: string
  readonly surveyUuid: string | null
  readonly surveyName: string | null
  readonly userId: string | null
  readonly contactUuid: string | null
  readonly answers: JsonObject
  /** Null where the report does not tell. */
  readonly tags: readonly unknown[] | null
  readonly firstShownAt: string | null
  readonly lastShownAt: string | null
  readonly lastDataReceptionAt: string | null
  readonly completedAt: string | null
  readonly dismissedAt: string | null
}
