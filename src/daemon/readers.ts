import type { Clock } from '../contracts/clock.ts'
import type { Configuration, RefinerSettings, Tenant } from '../contracts/configuration.ts'
import type { RefinerReader } from '../contracts/refiner-reader.ts'
import type { RateLimiter } from '../dispatch/rate-limiter.ts'
import { createReader } from './lanes.ts'

/**
 * Who reads from Refiner for a tenant, by the configuration that is in force; null without one or without a key. A
 * tenant's reader stays as long as its settings do, so that its rate is kept to.
 */
export function readers(
  configuration: () => Configuration,
  clock: Clock,
  rateOf: (tenant: Tenant) => RateLimiter | null,
): (tenant: string) => RefinerReader | null {
  const made = new Map<string, { readonly settings: RefinerSettings; readonly reader: RefinerReader }>()
  return (name) => {
    const { tenants, delivery } = configuration()
    const tenant = tenants.get(name)
    if (tenant === undefined || tenant.refiner.apiKey === '') return null
    const known = made.get(name)
    if (known !== undefined && Bun.deepEquals(known.settings, tenant.refiner)) return known.reader
    const { timeoutMs } = delivery
    const reader = createReader(tenant, { timeoutMs, clock, rate: () => rateOf(tenant) })
    made.set(name, { settings: tenant.refiner, reader })
    return reader
  }
}
