import type { BackfillState } from './backfill.ts'
import type { Destination } from './delivery.ts'

/**
 * How a lane fares. `retrying`: the last attempt failed. `open`: the destination is down, nothing is sent until the next
 * probe; `half_open`: that probe may go, or is under way. The other two are pauses that the destination asked for.
 */
export type LaneState = 'ok' | 'retrying' | 'open' | 'half_open' | 'throttled' | 'unauthorized'

/** Of one tenant and destination. Times are ms since 1970; null before the first one since the start. */
export interface LaneStatus {
  readonly state: LaneState
  readonly lastSuccessAt: number | null
  readonly lastError: { readonly at: number; readonly message: string } | null
}

/** How the polling of a tenant fares. Moments in ms since 1970. */
export interface PollStatus {
  readonly lastSuccessAt: number | null
  readonly lastError: { readonly at: number; readonly message: string } | null
  /** Whether the last one failed: moments do not tell it, since a clock may have been set in between. */
  readonly isFailing: boolean
  /** Interactions that no webhook has brought to this day. */
  readonly missed: number
  readonly lastMissedAt: number | null
}

/** The answer of GET /health: no secrets, no personal data. Ages are in seconds, moments ISO 8601. */
export interface Health {
  /** `degraded`: something waits or was given up. `down`: nothing can be accepted. */
  readonly status: 'ok' | 'degraded' | 'down'
  readonly version: string
  readonly uptime_seconds: number
  readonly database: { readonly status: 'ok' | 'down'; readonly error: string | null }
  /** What is wrong, in words; empty when all is well. */
  readonly problems: readonly string[]
  readonly tenants: Readonly<Record<string, TenantHealth>>
  /** Tenants that the configuration does not name any more, while something of theirs waits. */
  readonly orphaned: Readonly<Record<string, OrphanHealth>>
  readonly configuration: ConfigurationHealth
}

export interface OrphanHealth {
  /** Accepted and not yet settled, those that wait for the mapping included. */
  readonly pending: number
  readonly dead: number
}

/** How the last reading of the configuration went. */
export interface ConfigurationHealth {
  /** `rejected`: the file is wrong as it is now, and what was loaded before is in force. */
  readonly status: 'ok' | 'rejected'
  /** When what is in force was loaded. */
  readonly loaded_at: string
  /** How many there are in the file as it is now. */
  readonly mistakes: number
  readonly first_mistake: {
    readonly file: string
    readonly line: number
    readonly column: number
    readonly message: string
  } | null
  /** Settings of the file that differ from those in force and that only a restart changes: `server.port`. */
  readonly needs_restart: readonly string[]
}

export interface TenantHealth {
  readonly enabled: boolean
  /** Accepted and not yet settled, those that wait for the mapping included. */
  readonly pending: number
  readonly oldest_pending_age_seconds: number | null
  readonly dead: number
  readonly destinations: Readonly<Record<Destination, DestinationHealth>>
  /** How fetching what no webhook brought fares; null for a tenant that is not polled. */
  readonly polling: PollingHealth | null
  /** By their names, in the order of the configuration. */
  readonly segments: Readonly<Record<string, SegmentHealth>>
  /** The backfill that runs, or else the last one; null when there was none. */
  readonly backfill: BackfillHealth | null
}

export interface BackfillHealth {
  readonly id: number
  readonly state: BackfillState
  readonly begun: string
  /** When it last got on. */
  readonly updated: string
  /** Null while it goes on. */
  readonly waiting_for: string | null
  /** Why it failed. */
  readonly reason: string | null
  /** How many responses Refiner said there are when it began; null where it did not. */
  readonly total: number | null
  /** How many of them have not been read; null where that is not known. */
  readonly remaining: number | null
  readonly responses: {
    readonly read: number
    readonly taken: number
    readonly known: number
    readonly left_out: number
    readonly forgotten: number
  }
  readonly messages: {
    readonly made: number
    readonly made_before: number
    readonly skipped: number
    readonly dead: number
  }
}

export interface SegmentHealth {
  readonly members: number
  /** False while everybody is looked at since the segment is new or its condition is another. */
  readonly complete: boolean
}

export interface PollingHealth {
  /** Null before the first poll. */
  readonly last_success: string | null
  readonly last_error: { readonly at: string; readonly message: string } | null
  /** Interactions that polling brought since it first began, and no webhook before or after it. */
  readonly missed_by_webhook: number
  readonly last_missed: string | null
}

export interface DestinationHealth {
  readonly state: LaneState
  readonly pending: number
  readonly oldest_pending_age_seconds: number | null
  readonly dead: number
  readonly last_success: string | null
  readonly last_error: { readonly at: string; readonly message: string } | null
  /** What was not sent because a setting, a rule or a filter said no. */
  readonly skipped: {
    readonly last_day: number
    readonly last: { readonly at: string; readonly reason: string } | null
  }
}
