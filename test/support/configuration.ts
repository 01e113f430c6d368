import { join } from 'node:path'
import type { Configuration, DeliverySettings, Tenant } from '../../src/contracts/configuration.ts'

type Partly<T> = { [Name in keyof T]?: Partial<T[Name]> }

export type TenantSettings = Partly<Omit<Tenant, 'name' | 'enabled' | 'segments'>> & {
  readonly enabled?: boolean
  readonly segments?: Tenant['segments']
}

/** A tenant of the name, with invented keys that hold its name, and the defaults of the configuration file. */
export function testTenant(name: string, settings: TenantSettings = {}): Tenant {
  const { enabled = true, refiner, segment, toSegment, toRefiner } = settings
  return {
    name,
    enabled,
    refiner: {
      apiKey: `${name}-refiner-key`,
      endpoint: 'http://127.0.0.1:9/v1',
      webhook: { in: 'bearer', secret: `${name}-webhook-secret` },
      requestsPerSecond: 1000,
      pollMs: null,
      ...refiner,
    },
    segment: {
      writeKey: `${name}-write-key`,
      endpoint: 'http://127.0.0.1:9/v1',
      destinationKeys: [`${name}-destination-key`],
      sharedSecret: `${name}-shared-secret`,
      requestsPerSecond: 1000,
      ...segment,
    },
    toSegment: {
      enabled: true,
      surveys: { include: ['*'], exclude: [] },
      events: {
        completed: 'Completed Survey',
        seen: null,
        dismissed: null,
        segment_entered: null,
        tag_added: null,
      },
      calls: new Set(['identify', 'group', 'track'] as const),
      traitPrefix: 'refiner_',
      anonymous: 'skip',
      userAttributes: false,
      questionEvent: null,
      nps: [],
      mapping: [],
      plugins: [],
      ...toSegment,
    },
    toRefiner: {
      enabled: true,
      calls: new Set(['identify', 'group', 'track'] as const),
      events: { include: ['*'], exclude: [] },
      delete: false,
      pages: false,
      mapping: [],
      ...toRefiner,
    },
    segments: settings.segments ?? [],
    privacy: settings.privacy ? { allow: ['*'], deny: [], hash: [], salt: '', ...settings.privacy } : null,
  }
}

const DAY_MS = 86_400_000

/** A configuration with its database in `folder` and a free port. */
export function testConfiguration(
  folder: string,
  tenants: readonly Tenant[],
  delivery: Partial<DeliverySettings> = {},
): Configuration {
  return {
    server: {
      host: '127.0.0.1',
      port: 0,
      maxBodyBytes: 1024 * 1024,
      maxPending: 5_000_000,
      publicUrl: null,
      adminToken: null,
    },
    database: { path: join(folder, 'data', 'test.db') },
    delivery: { timeoutMs: 2000, minBackoffMs: 20, maxBackoffMs: 200, giveUpAfterMs: 60_000, ...delivery },
    retention: { deliveredMs: 30 * DAY_MS, deadMs: 90 * DAY_MS },
    plugins: new Map(),
    tests: [],
    files: [],
    tenants: new Map(tenants.map((tenant) => [tenant.name, tenant])),
  }
}
