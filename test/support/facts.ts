import type { Facts, TenantFacts, TenantSettingsFacts } from '../../src/contracts/diagnosis.ts'
import type { ConfigurationHealth, DestinationHealth, PollingHealth } from '../../src/contracts/health.ts'

export const NOW = '2026-03-10T12:00:00.000Z'

/** A moment so many days before `NOW`. */
export function daysAgo(days: number): string {
  return new Date(Date.parse(NOW) - days * 86_400_000).toISOString()
}

const NEVER = { last: null, last_7_days: 0 }
const LANE: DestinationHealth = {
  state: 'ok',
  pending: 0,
  oldest_pending_age_seconds: null,
  dead: 0,
  last_success: daysAgo(0.1),
  last_error: null,
  skipped: { last_day: 0, last: null },
}
const USED = {
  ever: true,
  by_origin: { webhook: { last: daysAgo(0.1), last_7_days: 40 }, poll: NEVER, backfill: NEVER },
  sample: { items: 40, outcomes: [{ state: 'delivered' as const, reason: null, items: 40 }], notes: [] },
}
/** As `from_refiner` or `from_segment` where nothing ever came. */
export const UNUSED = {
  ever: false,
  by_origin: { webhook: NEVER, poll: NEVER, backfill: NEVER },
  sample: { items: 0, outcomes: [], notes: [] },
}

const SETTINGS: TenantSettingsFacts = {
  enabled: true,
  to_segment: true,
  to_refiner: true,
  webhook: { in: 'bearer', name: null },
  poll_ms: null,
  anonymous: 'skip',
  surveys: { include: ['*'], exclude: [] },
  segment_endpoint: 'https://api.segment.io/v1',
  refiner_endpoint: 'https://api.refiner.io/v1',
  destination_keys: 1,
  signed: false,
}

const SHAPES = { ids: 40, shapes: [{ shape: 'digits(8)', ids: 40 }] }

export interface Changes {
  readonly settings?: Partial<TenantSettingsFacts>
  readonly tenant?: Partial<Omit<TenantFacts, 'settings'>>
  readonly segment?: Partial<DestinationHealth>
  readonly refiner?: Partial<DestinationHealth>
  readonly facts?: Partial<Omit<Facts, 'tenants'>>
  readonly polling?: PollingHealth | null
  readonly configuration?: Partial<ConfigurationHealth>
}

/** The facts of a daemon with one tenant `acme`, with which all is well but for what is changed. */
export function factsWith({
  settings,
  tenant,
  segment,
  refiner,
  facts,
  configuration,
  polling = null,
}: Changes = {}): Facts {
  return {
    at: NOW,
    health: {
      status: 'ok',
      version: '0.1.0',
      uptime_seconds: 86_400,
      database: { status: 'ok', error: null },
      problems: [],
      tenants: {
        acme: {
          enabled: true,
          pending: 0,
          oldest_pending_age_seconds: null,
          dead: 0,
          polling,
          segments: {},
          backfill: null,
          destinations: { segment: { ...LANE, ...segment }, refiner: { ...LANE, ...refiner } },
        },
      },
      orphaned: {},
      configuration: {
        status: 'ok',
        loaded_at: daysAgo(1),
        mistakes: 0,
        first_mistake: null,
        needs_restart: [],
        ...configuration,
      },
    },
    full: [],
    disk_free_bytes: 50 * 1024 ** 3,
    looked_at_items: 80,
    unread: null,
    intake: { accepted: [], refused: [] },
    ...facts,
    tenants: {
      acme: {
        from_refiner: USED,
        from_segment: USED,
        user_ids: { refiner: SHAPES, segment: SHAPES, shared: 30, shared_loosely: 30, complete: true },
        dead: [],
        clock_ahead_ms: { segment: 200, refiner: -300 },
        ...tenant,
        settings: { ...SETTINGS, ...settings },
      },
    },
  }
}
