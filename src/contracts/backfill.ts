/** What a backfill is asked for. Moments are in ms since 1970. */
export interface BackfillFilter {
  /** Null brings over no responses, only contacts. */
  readonly since: number | null
  readonly until: number
  /** Uuids or names of the surveys that are meant, with `*` for any characters; empty for all. */
  readonly surveys: readonly string[]
  /** Whether contacts are brought over, before the responses. */
  readonly contacts: boolean
  /** The most messages a second; null for as many as live traffic leaves room for. */
  readonly rate: number | null
}

/** `to-segment`: what is brought over is sent on as if it came today; `store-only`: it is kept, and nothing is sent. */
export type BackfillMode = 'to-segment' | 'store-only'

export type BackfillState = 'running' | 'paused' | 'done' | 'failed'

/** What a backfill has come to so far. */
export interface BackfillCounts {
  /** Contacts that were read, and those of them that have a user ID or an account, and so are kept. */
  readonly contacts: number
  readonly contactsKept: number
  /** Responses that were read: each of them is one of the following. */
  readonly read: number
  /** Taken: what is to be sent was put into the inbox, or it was kept. */
  readonly taken: number
  /** An earlier backfill or poll had brought just this. */
  readonly known: number
  /** Of somebody who is not to be brought back. */
  readonly forgotten: number
  /** Of surveys that are not meant, or that say of nothing that is to be told. */
  readonly leftOut: number
  /** Messages that were made for Segment, and are on their way or there. */
  readonly messages: number
  /** Messages that had been made before, from a webhook for instance. */
  readonly copies: number
  /** What rules and settings leave out. */
  readonly skipped: number
  /** What could not be mapped or is refused by Segment's limits. */
  readonly dead: number
}

/** Where a backfill is. */
export interface BackfillCursor {
  readonly phase: 'contacts' | 'responses'
  /** Responses of the days from this moment on, in ms since 1970, are being read. */
  readonly from: number
  readonly days: number
  /** The page of them, as Refiner names it; null for the first. */
  readonly page: string | null
  /** How many of the page have been taken. */
  readonly place: number
  /** How many there were on the pages of these days before it; missing for none. */
  readonly before?: number
}

/** A backfill as the store keeps it. */
export interface BackfillRecord {
  readonly id: number
  readonly tenant: string
  readonly at: number
  /** Who asked for it. */
  readonly by: string
  readonly filter: BackfillFilter
  readonly mode: BackfillMode
  readonly state: BackfillState
  /** Why it failed; null otherwise. */
  readonly reason: string | null
  readonly cursor: BackfillCursor
  /** How many responses Refiner says there are; null before it has said so. */
  readonly total: number | null
  readonly counts: BackfillCounts
  /** The inbox items behind the first ID up to the second one are not in the counts yet as far as it concerns messages. */
  readonly uncounted: { readonly after: number; readonly until: number } | null
  readonly updatedAt: number
  readonly finishedAt: number | null
}

/** A backfill, and what it waits for, if it runs. */
export interface BackfillStatus {
  readonly record: BackfillRecord
  readonly waitingFor: string | null
}

export interface BackfillWish {
  readonly tenant: string
  readonly by: string
  readonly filter: BackfillFilter
  readonly mode: BackfillMode
}

/** What came of a wish; `why` says why nothing did. */
export type BackfillAnswer =
  | { readonly ok: true; readonly status: BackfillStatus }
  | { readonly ok: false; readonly kind: 'unknown' | 'refused'; readonly why: string }

/** What a part of a backfill would come to. */
export interface BackfillPreview {
  /** Responses that were read, and of them those that would be taken. */
  readonly read: number
  readonly taken: number
  readonly known: number
  readonly forgotten: number
  readonly leftOut: number
  /** How many things that happened, by kind. */
  readonly interactions: Readonly<Record<string, number>>
  /** How many messages would be sent, by call. */
  readonly messages: Readonly<Record<string, number>>
  /** How many interactions and messages, by the name of the survey. */
  readonly surveys: Readonly<Record<string, { readonly interactions: number; readonly messages: number }>>
  /** Messages that were made before. */
  readonly copies: number
  readonly skipped: number
  readonly dead: number
  /** Messages as they would be sent. */
  readonly samples: readonly unknown[]
  /** How many responses Refiner says there are. */
  readonly total: number | null
  /** Where to go on; null at the end. */
  readonly cursor: BackfillCursor | null
}

export type PreviewAnswer =
  { readonly ok: true; readonly preview: BackfillPreview } | { readonly ok: false; readonly why: string }
