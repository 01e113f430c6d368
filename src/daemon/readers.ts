import { RefinerRestReader } from '../clients/refiner-reader.ts'
import type { Clock } from '../contracts/clock.ts'
import type { Configuration, RefinerSettings } from '../contracts/configuration.ts'
import type { RefinerReader } from '../contracts/refiner-reader.ts'
import { RateLimiter } from '../dispatch/rate-limiter.ts'
import { waitUnless } from './lanes.ts'

/**
 * Who reads from Refiner for a tenant, by the configuration that is in force; null without one or without a key. A tenant's reader stays as
 * long as its settings do, so that its rate is kept to.
 */
export function readers(
  configuration: () => Configuration,
  clock: Clock,
): (tenant: string) => RefinerReader | null {
  const made = new Map<string, { readonly settings: RefinerSettings; readonly reader: RefinerReader }>()
  return (name) => {
    const { tenants, delivery } = configuration()
    const settings = tenants.get(name)?.refiner
    if (settings === undefined || settings.apiKey === '') return null
    const known = made.get(name)
    if (known !== undefined && Bun.deepEquals(known.settings, settings)) return known.reader
    const rate = new RateLimiter(settings.requestsPerSecond, clock)
    const reader = new RefinerRestReader({
      endpoint: settings.endpoint,
      key: settings.apiKey,
      timeoutMs: delivery.timeoutMs,
      fetch,
      clock,
      turn: (signal) => waitUnless(signal, rate.take(), clock),
    })
    made.set(name, { settings, reader })
    return reader
  }
}
