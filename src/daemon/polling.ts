import type { Configuration, InteractionKind, Tenant } from '../contracts/configuration.ts'
import type { PollStatus } from '../contracts/health.ts'
import type { RefinerReader } from '../contracts/refiner-reader.ts'
import { Poller, type PollerParts } from '../polling/poller.ts'

export interface PollingParts extends Omit<PollerParts, 'rememberedMs'> {
  /** Null where nothing can be read for the tenant. */
  readonly reader: (tenant: string) => RefinerReader | null
}

/** The pollers of a configuration. */
export class Polling {
  #pollers = new Map<string, { readonly tenant: Tenant; readonly poller: Poller }>()
  #running = false
  #configuration: Configuration | null = null

  constructor(private readonly parts: PollingParts) {}

  start(configuration: Configuration): void {
    this.#running = true
    this.replace(configuration)
  }

  /** Goes on with another configuration: a tenant that stays as it is goes on where it is. */
  replace(configuration: Configuration): void {
    if (!this.#running) return
    this.#configuration = configuration
    const before = this.#pollers
    this.#pollers = new Map()
    for (const tenant of configuration.tenants.values()) {
      const everyMs = tenant.refiner.pollMs
      if (everyMs === null || !isPolled(tenant)) continue
      const present = before.get(tenant.name)
      if (present !== undefined && Bun.deepEquals(present.tenant, tenant)) {
        this.#pollers.set(tenant.name, present)
        before.delete(tenant.name)
        continue
      }
      const rememberedMs = () => this.#configuration!.retention.deliveredMs
      const parts = { ...this.parts, rememberedMs }
      const poller = new Poller(parts, {
        name: tenant.name,
        everyMs,
        reader: () => this.parts.reader(tenant.name),
        kinds: kindsOf(tenant),
        privacy: tenant.privacy,
      })
      this.#pollers.set(tenant.name, { tenant, poller })
    }
    for (const { poller } of before.values()) poller.stop()
    for (const { poller } of this.#pollers.values()) poller.start()
  }

  stop(): void {
    this.#running = false
    for (const { poller } of this.#pollers.values()) poller.stop()
  }

  /** Null for a tenant that is not polled. */
  status(tenant: string): PollStatus | null {
    return this.#pollers.get(tenant)?.poller.status ?? null
  }
}

function isPolled({ enabled, toSegment, refiner }: Tenant): boolean {
  return enabled && toSegment.enabled && refiner.apiKey !== ''
}

/** What of a response may become a message. */
export function kindsOf({ toSegment: { events, mapping } }: Tenant): ReadonlySet<InteractionKind> {
  const others = (['seen', 'dismissed'] as const).filter(
    (kind) => events[kind] !== null || mapping.length > 0,
  )
  return new Set<InteractionKind>(['completed', ...others])
}
