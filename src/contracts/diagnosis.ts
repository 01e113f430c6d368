import type { Health } from './health.ts'

/**
 * The answer of GET /api/diagnosis: what `doctor` judges a running daemon by. Counts, moments, settings and shapes; no
 * secrets, and nothing of what anybody said or is called. Moments are ISO 8601.
 */
export interface Facts {
  readonly at: string
  readonly health: Health
  /** Room left where the database is; null when the system does not tell. */
  readonly disk_free_bytes: number | null
  /** What is turned away with 503, because so much waits. */
  readonly full: readonly { readonly tenant: string; readonly source: 'refiner_webhook' | 'segment' }[]
  /** Of what is stored, the newest so many items were looked at. */
  readonly looked_at_items: number
  /** Why what is stored could not be read; null when it could. */
  readonly unread: string | null
  readonly tenants: Readonly<Record<string, TenantFacts>>
  /** Of the thread that speaks HTTP, since the start. */
  readonly intake: IntakeFacts
}

export interface TenantFacts {
  readonly settings: TenantSettingsFacts
  /** What came from Refiner, and what became of it. */
  readonly from_refiner: SourceFacts
  /** What came from Segment, and what became of it. */
  readonly from_segment: SourceFacts
  readonly user_ids: UserIdFacts
  /** What was given up, by destination and reason, the most first. */
  readonly dead: readonly DeadFacts[]
  /** How far this machine's clock is ahead of the destination's; null before its first answer. */
  readonly clock_ahead_ms: { readonly segment: number | null; readonly refiner: number | null }
}

/** The settings that decide what should come and go. */
export interface TenantSettingsFacts {
  readonly enabled: boolean
  readonly to_segment: boolean
  readonly to_refiner: boolean
  /** Where the webhook's secret is expected; `name` is that of the header or query parameter. Null without a webhook. */
  readonly webhook: {
    readonly in: 'bearer' | 'header' | 'query' | 'hmac'
    readonly name: string | null
  } | null
  /** Null when Refiner is not polled. */
  readonly poll_ms: number | null
  readonly anonymous: 'skip' | 'email' | 'anonymous_id'
  readonly surveys: { readonly include: readonly string[]; readonly exclude: readonly string[] }
  readonly segment_endpoint: string
  readonly refiner_endpoint: string
  readonly destination_keys: number
  /** Whether there is a shared secret of a Webhooks destination. */
  readonly signed: boolean
}

/** How an item came: by a request, or because Refiner was asked. */
export type Origin = 'webhook' | 'poll' | 'backfill'

export interface SourceFacts {
  /** Whether anything of it is stored. */
  readonly ever: boolean
  /** Of a source that is not polled everything is under `webhook`. */
  readonly by_origin: Readonly<Record<Origin, ArrivalFacts>>
  /** Of the newest items that are mapped. */
  readonly sample: SampleFacts
}

export interface ArrivalFacts {
  /** Null when none is among what was looked at. */
  readonly last: string | null
  /** Among what was looked at. */
  readonly last_7_days: number
}

export interface SampleFacts {
  readonly items: number
  /** What became of them, the most first. An item is counted once, by the worst that became of its messages. */
  readonly outcomes: readonly {
    readonly state: 'pending' | 'delivered' | 'skipped' | 'dead'
    readonly reason: string | null
    readonly items: number
  }[]
  /** What the mapping could not do as it was told, the most first. */
  readonly notes: readonly { readonly text: string; readonly items: number }[]
}

export interface UserIdFacts {
  readonly refiner: ShapesFacts
  readonly segment: ShapesFacts
  /** How many of them are known on both sides. */
  readonly shared: number
  /** Whether these are all there are, as far as it is known: of very many only the newest are looked at. */
  readonly complete: boolean
  /** How many would be, if neither case nor a prefix counted. */
  readonly shared_loosely: number
}

/** Of one side's user IDs, without the IDs themselves. */
export interface ShapesFacts {
  readonly ids: number
  /** Such as `digits(8)`, the most first. */
  readonly shapes: readonly { readonly shape: string; readonly ids: number }[]
}

export interface DeadFacts {
  readonly destination: 'segment' | 'refiner'
  readonly reason: string
  /** Among the newest that were looked at. */
  readonly deliveries: number
  readonly last: string
  /** One of them, to be shown. */
  readonly example: number
}

export interface IntakeFacts {
  readonly accepted: readonly {
    readonly tenant: string
    readonly source: 'refiner_webhook' | 'segment'
    readonly requests: number
    readonly last: string
  }[]
  readonly refused: readonly RefusedFacts[]
}

/** Requests, or messages of them, that were refused with the same answer. */
export interface RefusedFacts {
  /** Null when it is not known whose it was, or nobody's. */
  readonly tenant: string | null
  readonly route: string
  readonly status: number
  readonly times: number
  readonly last: string
  /** Of the last one: what it carried, by name. */
  readonly carried: {
    /** Names of headers, without those that every request has. */
    readonly headers: readonly string[]
    readonly authorization: 'bearer' | 'basic' | 'other' | null
    /** Names of query parameters. */
    readonly query: readonly string[]
  }
}
