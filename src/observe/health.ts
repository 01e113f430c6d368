import type { BackfillStatus } from '../contracts/backfill.ts'
import type { Clock } from '../contracts/clock.ts'
import type { Tenant } from '../contracts/configuration.ts'
import type { Destination } from '../contracts/delivery.ts'
import type {
  ConfigurationHealth,
  DestinationHealth,
  Health,
  LaneStatus,
  OrphanHealth,
  PollingHealth,
  PollStatus,
  SegmentHealth,
  TenantHealth,
} from '../contracts/health.ts'
import type { Source } from '../contracts/inbox.ts'
import type { SegmentStatus } from '../contracts/segments.ts'
import type { Counts, Skipped } from '../store/counts.ts'
import type { Store } from '../store/open.ts'
import { type LaneCounts, tenantsWithOpen } from '../store/outbox.ts'
import { VERSION } from '../version.ts'
import { backfillHealth, backfillProblems } from './backfill-health.ts'

/** Something accepted that has waited longer than this is worth a look. */
const OLD_PENDING_SECONDS = 300
/** For how long something given up counts as a problem: it is kept longer, and monitoring must not ring for all of it. */
const DEAD_IS_NEWS_MS = 24 * 3_600_000
/** One answer that nobody foresaw is no cause for alarm for long; a rule that always fails does so again. */
const RULE_FAILURE_IS_NEWS_MS = 3_600_000

export interface HealthParts {
  readonly store: Store
  readonly counts: Counts
  readonly tenants: ReadonlyMap<string, Tenant>
  readonly clock: Clock
  readonly startedAt: number
  readonly configuration: ConfigurationHealth
  /** The ways of tenants on which so much waits that nothing more is taken. */
  readonly full: readonly { readonly tenant: string; readonly source: Source }[]
  /** Null for a tenant that is not polled. */
  readonly pollStatus: (tenant: string) => PollStatus | null
  readonly segments: () => readonly SegmentStatus[]
  /** The backfill of a tenant that runs, or else the last one; null when there was none. */
  readonly backfill: (tenant: string) => BackfillStatus | null
  readonly laneStatus: (tenant: string, destination: Destination) => LaneStatus
  /** The latest rule of a tenant that failed since the start or the last reload; null when none did. */
  readonly ruleFailure: (tenant: string) => { readonly at: number; readonly notes: string } | null
  /** Why the database takes no writes; null when it does. Tries it where the last write failed. */
  readonly databaseFault: () => string | null
}

/** How the program fares, from what the tables and the lanes say now. Never throws. */
export function readHealth(parts: HealthParts): Health {
  const now = parts.clock.now()
  const { configuration } = parts
  const base = { version: VERSION, uptime_seconds: Math.floor((now - parts.startedAt) / 1000) }
  try {
    const fault = parts.databaseFault()
    const unmapped = parts.counts.unmapped()
    const { tenants, problems } = readTenants(parts, unmapped, now)
    const orphaned = readOrphans(parts, unmapped)
    problems.unshift(...configurationProblems(configuration))
    problems.push(...Object.entries(orphaned).map(([name, { pending }]) => orphanProblem(name, pending)))
    if (fault !== null) problems.unshift(`the database takes no writes: ${fault}`)
    const status = fault !== null ? 'down' : problems.length > 0 ? 'degraded' : 'ok'
    const database = { status: fault === null ? 'ok' : 'down', error: fault } as const
    return { status, ...base, database, configuration, problems, tenants, orphaned }
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    const problems = [`the database cannot be read: ${message}`, ...configurationProblems(configuration)]
    const database = { status: 'down', error: message } as const
    return { status: 'down', ...base, database, configuration, problems, tenants: {}, orphaned: {} }
  }
}

function configurationProblems({ status, mistakes, first_mistake, needs_restart }: ConfigurationHealth) {
  const problems: string[] = []
  if (status === 'rejected') {
    problems.push(`${rejection(first_mistake, mistakes)}; the one before it stays in force`)
  }
  if (needs_restart.length > 0) problems.push(`only a restart changes ${needs_restart.join(', ')}`)
  return problems
}

function rejection(first: ConfigurationHealth['first_mistake'], mistakes: number): string {
  if (first === null) return 'reading the configuration again failed, as the log says'
  const { file, line, column, message } = first
  const more = mistakes > 1 ? ` (and ${mistakes - 1} more)` : ''
  return `the configuration is wrong: ${file}:${line}:${column}: ${message}${more}`
}

type Unmapped = ReturnType<Counts['unmapped']>

/** What waits for tenants that are no longer there; nothing takes it until they are back. */
function readOrphans(
  { store, counts, tenants }: HealthParts,
  unmapped: Unmapped,
): Record<string, OrphanHealth> {
  const waiting = [...unmapped.keys(), ...tenantsWithOpen(store)]
  const orphaned: Record<string, OrphanHealth> = {}
  for (const name of new Set(waiting)) {
    if (tenants.has(name)) continue
    const [segment, refiner] = DESTINATIONS.map((destination) => counts.lane(name, destination))
    const open = unmapped.get(name)?.open ?? 0
    orphaned[name] = {
      pending: open + segment!.open + refiner!.open,
      dead: segment!.dead + refiner!.dead,
    }
  }
  return orphaned
}

const DESTINATIONS = ['segment', 'refiner'] as const

function orphanProblem(name: string, pending: number): string {
  const wait = pending === 1 ? '1 pending delivery waits' : `${pending} pending deliveries wait`
  return `${name} is no longer in the configuration; ${wait} for it`
}

function readTenants(
  { counts: waits, tenants, full, laneStatus, pollStatus, segments, backfill, ruleFailure }: HealthParts,
  unmapped: Unmapped,
  now: number,
) {
  const health: Record<string, TenantHealth> = {}
  const problems: string[] = []
  const kept = Map.groupBy(segments(), ({ tenant }) => tenant)
  for (const { name, enabled } of tenants.values()) {
    const waiting = unmapped.get(name)
    const moments = [waiting?.oldestOpen]
    const destination = (to: Destination): DestinationHealth => {
      const counts = waits.lane(name, to)
      const status = laneStatus(name, to)
      moments.push(counts.oldestOpen ?? undefined)
      problems.push(...laneProblems(`${name}, ${to}`, status, counts, now))
      return destinationHealth(status, counts, waits.skipped(name, to, now), now)
    }
    const destinations = { segment: destination('segment'), refiner: destination('refiner') }
    const oldest = ageSeconds(Math.min(...moments.map((moment) => moment ?? Infinity)), now)
    for (const { tenant, source } of full) if (tenant === name) problems.push(fullProblem(name, source))
    const polled = pollStatus(name)
    if (polled !== null) problems.push(...pollProblems(name, polled, now))
    const filled = backfill(name)
    if (filled !== null) problems.push(...backfillProblems(name, filled, now))
    const failure = ruleFailure(name)
    if (failure !== null && now - failure.at < RULE_FAILURE_IS_NEWS_MS) {
      problems.push(`${name}: a rule failed within the last hour: ${failure.notes.slice(0, 300)}`)
    }
    if (oldest !== null && oldest > OLD_PENDING_SECONDS) {
      problems.push(`${name}: the oldest pending delivery waits for ${oldest} s`)
    }
    health[name] = {
      enabled,
      pending: (waiting?.open ?? 0) + destinations.segment.pending + destinations.refiner.pending,
      oldest_pending_age_seconds: oldest,
      dead: destinations.segment.dead + destinations.refiner.dead,
      destinations,
      polling: polled === null ? null : pollingHealth(polled),
      segments: Object.fromEntries((kept.get(name) ?? []).map(segmentHealth)),
      backfill: filled === null ? null : backfillHealth(filled),
    }
  }
  return { tenants: health, problems }
}

/** For how long what a webhook missed is a problem: it tells that the webhook does not work. */
const MISSED_IS_NEWS_MS = 24 * 3_600_000

function pollProblems(
  name: string,
  { lastError, isFailing, lastMissedAt }: PollStatus,
  now: number,
): string[] {
  const problems: string[] = []
  if (lastError !== null && isFailing) {
    problems.push(`${name}: polling Refiner fails: ${lastError.message}`)
  }
  if (lastMissedAt !== null && now - lastMissedAt < MISSED_IS_NEWS_MS) {
    problems.push(
      `${name}: polling found responses within the last day that no webhook had brought: is Refiner's webhook set up?`,
    )
  }
  return problems
}

function pollingHealth({ lastSuccessAt, lastError, missed, lastMissedAt }: PollStatus): PollingHealth {
  return {
    last_success: lastSuccessAt === null ? null : iso(lastSuccessAt),
    last_error: lastError === null ? null : { at: iso(lastError.at), message: lastError.message },
    missed_by_webhook: missed,
    last_missed: lastMissedAt === null ? null : iso(lastMissedAt),
  }
}

function segmentHealth({ name, members, isComplete }: SegmentStatus): [string, SegmentHealth] {
  return [name, { members, complete: isComplete }]
}

function fullProblem(name: string, source: Source): string {
  const [to, from] = source === 'segment' ? ['Refiner', 'Segment'] : ['Segment', 'Refiner']
  return `${name}: so much waits for ${to} that what ${from} sends is answered 503 (server.max_pending)`
}

function destinationHealth(
  status: LaneStatus,
  counts: LaneCounts,
  { lastDay, last }: Skipped,
  now: number,
): DestinationHealth {
  const { lastSuccessAt, lastError } = status
  return {
    state: stateOf(status, counts),
    pending: counts.open,
    oldest_pending_age_seconds: ageSeconds(counts.oldestOpen ?? Infinity, now),
    dead: counts.dead,
    last_success: lastSuccessAt === null ? null : iso(lastSuccessAt),
    last_error: lastError === null ? null : { at: iso(lastError.at), message: lastError.message },
    skipped: { last_day: lastDay, last: last === null ? null : { at: iso(last.at), reason: last.reason } },
  }
}

function laneProblems(where: string, status: LaneStatus, counts: LaneCounts, now: number): string[] {
  const problems: string[] = []
  const state = stateOf(status, counts)
  if (state !== 'ok')
    problems.push(`${where}: ${stateInWords(state)}: ${status.lastError?.message ?? 'no answer yet'}`)
  if (counts.lastDead !== null && now - counts.lastDead < DEAD_IS_NEWS_MS) {
    const kept = counts.dead === 1 ? '1 is kept' : `${counts.dead} are kept`
    problems.push(
      `${where}: deliveries were given up within the last day; ${kept}: \`refiner-sync deliveries list --state dead\``,
    )
  }
  return problems
}

/** Null for Infinity: nothing that has an age. */
function ageSeconds(since: number, now: number): number | null {
  return since === Infinity ? null : Math.max(0, Math.floor((now - since) / 1000))
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}

/** A lane with nothing left to send has nothing to retry. */
function stateOf({ state }: LaneStatus, { open }: LaneCounts): LaneStatus['state'] {
  return open === 0 ? 'ok' : state
}

function stateInWords(state: LaneStatus['state']): string {
  switch (state) {
    case 'open':
      return 'down, tried again from time to time'
    case 'half_open':
      return 'down, being tried again now'
    case 'ok':
    case 'retrying':
    case 'throttled':
    case 'unauthorized':
      return state
  }
}
