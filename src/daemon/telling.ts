import type { Destination } from '../contracts/delivery.ts'
import type { Lane } from '../dispatch/lane.ts'
import type { Settled } from '../dispatch/settle.ts'
import type { Log } from '../observe/log.ts'
import type { Metrics } from '../observe/metrics.ts'
import type { MappedItem } from '../store/record-mapped.ts'

/** The latest item of each tenant that a rule failed on. */
export type RuleFailures = Map<string, { readonly at: number; readonly notes: string }>

interface MappedListeners {
  readonly log: Log
  readonly metrics: Metrics
  readonly ruleFailures: RuleFailures
  /** In ms since 1970. */
  readonly now: number
}

/** Says in the log and in the metrics what items became. Of why, only what quotes nothing that was received. */
export function tellMapped(
  mapped: readonly MappedItem[],
  { log, metrics, ruleFailures, now }: MappedListeners,
): void {
  const notes = new Map<string, { tenant: string; destination: string; notes: string; deliveries: number }>()
  for (const { item, deliveries } of mapped) {
    const { tenant } = item
    const failure = deliveries.find(({ notes: noted }) => noted !== null)?.notes ?? null
    if (failure !== null) {
      metrics.ruleFailed(tenant)
      ruleFailures.set(tenant, { at: now, notes: failure })
    }
    for (const { destination, call, state, reason, notes: noted } of deliveries) {
      log.debug({ tenant, destination, call, reason }, `mapped: ${state}`)
      if (state === 'dead') log.error({ tenant, destination, call, reason }, 'not to be sent, and kept')
      if (state !== 'pending') metrics.settled(tenant, destination, state)
      if (noted === null) continue
      const key = `${tenant} ${destination} ${noted}`
      const known = notes.get(key) ?? { tenant, destination, notes: noted, deliveries: 0 }
      notes.set(key, { ...known, deliveries: known.deliveries + 1 })
    }
  }
  for (const fields of notes.values()) log.warn(fields, 'not mapped as it was told')
}

/** Says in the log and in the metrics what became of deliveries. */
export function tellSettled(
  { tenant, destination }: Lane,
  settled: readonly Settled[],
  log: Log,
  metrics: Metrics,
): void {
  const refused = settled.filter(({ isKeyRefused }) => isKeyRefused)
  if (refused.length > 0) {
    const setting = `tenants.${tenant}.${KEYS[destination]}`
    const fields = { tenant, destination, deliveries: refused.length, reason: refused[0]!.reason, setting }
    log.error(fields, 'paused, because the key is refused; nothing is lost')
    metrics.settled(tenant, destination, 'retry', refused.length)
  }
  for (const [state, level, message] of SETTLED_LOG) {
    const some = settled.filter((one) => one.state === state && !one.isKeyRefused)
    const [first] = some
    if (first === undefined) continue
    metrics.settled(tenant, destination, state === 'pending' ? 'retry' : state, some.length)
    log[level]({ tenant, destination, deliveries: some.length, reason: first.reason }, message)
  }
}

/** Where the keys stand in refiner-sync.yaml, within a tenant. */
const KEYS: Readonly<Record<Destination, string>> = {
  segment: 'segment.write_key',
  refiner: 'refiner.api_key',
}

/** What the log says of what became of deliveries. */
const SETTLED_LOG = [
  ['delivered', 'debug', 'delivered'],
  ['pending', 'warn', 'to be tried again'],
  ['dead', 'error', 'given up, and kept'],
] as const
