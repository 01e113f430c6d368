import type { JsonObject } from './json.ts'

/** Reads what Refiner keeps. Never rejects. */
export interface RefinerReader {
  responses(query: ResponsesQuery, signal: AbortSignal): Promise<Page<JsonObject> | ReadFailure>
  contacts(query: ContactsQuery, signal: AbortSignal): Promise<Page<JsonObject> | ReadFailure>
}

export interface ResponsesQuery {
  /** In ms since 1970; null: from the first on. */
  readonly since: number | null
  /** In ms since 1970; null: to the last. */
  readonly until: number | null
  /** From the page before; null for the first. */
  readonly cursor: string | null
  /** 1,000 at most. */
  readonly pageLength: number
  /** `all`: surveys that were only seen, or dismissed, too. */
  readonly include: 'completed' | 'all'
  /** Only of these surveys; empty: of all. */
  readonly formUuids: readonly string[]
  /** Whether contacts come with their attributes. */
  readonly withAttributes: boolean
}

export interface ContactsQuery {
  readonly cursor: string | null
  readonly pageLength: number
}

export interface Page<Item> {
  readonly ok: true
  /** As Refiner gave them. */
  readonly items: readonly Item[]
  /** Null on the last page. */
  readonly nextCursor: string | null
  /** How many there are on all pages; null where Refiner does not say. */
  readonly total: number | null
  /** How far this machine's clock is ahead of Refiner's, in ms, by its answer; null where it does not say. */
  readonly clockAheadMs: number | null
}

/** Why there is no page. `reason` is for people: no secrets, no personal data. */
export interface ReadFailure {
  readonly ok: false
  /** `unavailable`: no answer, or none that can be read; `rejected`: Refiner will not give this page. */
  readonly kind: 'throttled' | 'unauthorized' | 'unavailable' | 'rejected'
  /** How long Refiner asks to wait, in ms; null where it does not. */
  readonly retryAfterMs: number | null
  /** HTTP's status; null without an answer. */
  readonly status: number | null
  readonly reason: string
}
