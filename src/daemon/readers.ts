import { AskedPause } from '../clients/asked-pause.ts'
import type { Clock } from '../contracts/clock.ts'
import type { Configuration, RefinerSettings, Tenant } from '../contracts/configuration.ts'
import type { RefinerReader } from '../contracts/refiner-reader.ts'
import type { RateLimiter } from '../dispatch/rate-limiter.ts'
import { createReader } from './lanes.ts'

interface Made {
  readonly settings: RefinerSettings
  readonly timeoutMs: number
  readonly pause: AskedPause
  readonly reader: RefinerReader
}

/**
 * Who reads from Refiner for a tenant, by the configuration that is in force; null without one or without a key. All that
 * reads for a tenant has the same reader, and it stays as long as its settings do, so that its rate is kept to. What the
 * account asked for is known to the next one.
 */
export function readers(
  configuration: () => Configuration,
  clock: Clock,
  rateOf: (tenant: Tenant) => RateLimiter | null,
): (tenant: string) => RefinerReader | null {
  const made = new Map<string, Made>()
  return (name) => {
    const { tenants, delivery } = configuration()
    const tenant = tenants.get(name)
    if (tenant === undefined || tenant.refiner.apiKey === '') return null
    const { refiner: settings } = tenant
    const { timeoutMs } = delivery
    const known = made.get(name)
    if (known?.timeoutMs === timeoutMs && Bun.deepEquals(known.settings, settings)) return known.reader
    const isSameAccount =
      known?.settings.endpoint === settings.endpoint && known.settings.apiKey === settings.apiKey
    const pause = isSameAccount ? known.pause : new AskedPause(clock)
    const reader = createReader(tenant, { timeoutMs, clock, pause, rate: () => rateOf(tenant) })
    made.set(name, { settings, timeoutMs, pause, reader })
    return reader
  }
}
