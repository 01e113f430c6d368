import type { Static } from '@sinclair/typebox'
import type {
  Call,
  Configuration,
  DeliverySettings,
  NameFilter,
  RefinerSettings,
  SegmentSettings,
  ServerSettings,
  Tenant,
  ToRefinerSettings,
  ToSegmentSettings,
  WebhookCheck,
} from '../contracts/configuration.ts'
import { databasePath } from './database-path.ts'
import { DEFAULTS, SEGMENT_ENDPOINTS } from './defaults.ts'
import { parseEndpoint } from './endpoint.ts'
import type { ConfigurationFile } from './schema.ts'
import type { TenantFields } from './schema-tenant.ts'
import { parseDuration, parseRate, parseSize } from './units.ts'

type TenantFile = Static<typeof TenantFields>
type Part<Key extends keyof TenantFile> = NonNullable<TenantFile[Key]>
type WebhookFile = NonNullable<Part<'refiner'>['webhook']>

/**
 * Applies every default, once, to a file without mistakes.
 *
 * @param folder where relative paths start from
 * @param order the names of the tenants; an object would put names of digits first
 */
export function resolveConfiguration(
  file: ConfigurationFile,
  folder: string,
  order: readonly string[],
): Configuration {
  return {
    server: resolveServer(file.server ?? {}),
    database: { path: databasePath(file.database ?? DEFAULTS.database, folder) },
    delivery: resolveDelivery(file.delivery ?? {}),
    plugins: new Map(),
    tenants: new Map(order.map((name) => [name, resolveTenant(name, file.tenants[name]!)])),
    tests: [],
    files: [],
  }
}

function resolveServer(server: NonNullable<ConfigurationFile['server']>): ServerSettings {
  return {
    host: server.host ?? DEFAULTS.host,
    port: server.port ?? DEFAULTS.port,
    maxBodyBytes: parseSize(server.max_body ?? DEFAULTS.maxBody),
    adminToken: server.admin_token ?? null,
  }
}

function resolveDelivery(delivery: NonNullable<ConfigurationFile['delivery']>): DeliverySettings {
  return {
    timeoutMs: parseDuration(delivery.timeout ?? DEFAULTS.timeout),
    minBackoffMs: parseDuration(delivery.min_backoff ?? DEFAULTS.minBackoff),
    maxBackoffMs: parseDuration(delivery.max_backoff ?? DEFAULTS.maxBackoff),
    giveUpAfterMs: parseDuration(delivery.give_up_after ?? DEFAULTS.giveUpAfter),
  }
}

function resolveTenant(name: string, tenant: TenantFile): Tenant {
  return {
    name,
    enabled: tenant.enabled ?? true,
    refiner: resolveRefiner(tenant.refiner ?? {}),
    segment: resolveSegment(tenant.segment ?? {}),
    toSegment: resolveToSegment(tenant.to_segment ?? {}),
    toRefiner: resolveToRefiner(tenant.to_refiner ?? {}),
  }
}

function resolveRefiner(refiner: Part<'refiner'>): RefinerSettings {
  return {
    apiKey: refiner.api_key ?? '',
    endpoint: baseUrl(refiner.endpoint ?? DEFAULTS.refinerEndpoint),
    webhook: refiner.webhook === undefined ? null : resolveWebhook(refiner.webhook),
    requestsPerSecond: parseRate(refiner.rate_limit ?? DEFAULTS.refinerRate),
  }
}

function resolveWebhook({ secret, name, algorithm, encoding, ...webhook }: WebhookFile): WebhookCheck {
  const way = webhook.in ?? DEFAULTS.webhookIn
  switch (way) {
    case 'bearer':
      return { in: way, secret }
    case 'header':
      return { in: way, secret, name: name ?? DEFAULTS.webhookHeader }
    case 'query':
      return { in: way, secret, name: name ?? DEFAULTS.webhookQuery }
    case 'hmac':
      return {
        in: way,
        secret,
        name: name ?? DEFAULTS.webhookSignature,
        algorithm: algorithm ?? DEFAULTS.algorithm,
        encoding: encoding ?? DEFAULTS.encoding,
      }
  }
}

function resolveSegment(segment: Part<'segment'>): SegmentSettings {
  return {
    writeKey: segment.write_key ?? '',
    endpoint: baseUrl(segment.endpoint ?? SEGMENT_ENDPOINTS[segment.region ?? DEFAULTS.segmentRegion]),
    destinationKeys: segment.destination_keys ?? [],
    sharedSecret: segment.shared_secret ?? null,
    requestsPerSecond: parseRate(segment.rate_limit ?? DEFAULTS.segmentRate),
  }
}

function resolveToSegment(direction: Part<'to_segment'>): ToSegmentSettings {
  const events = direction.events ?? {}
  return {
    enabled: direction.enabled ?? true,
    surveys: resolveNames(direction.surveys),
    events: {
      // Null is an answer here, no event; only a key that is left out gets the default.
      completed: events.completed === undefined ? DEFAULTS.completedEvent : events.completed,
      seen: events.seen ?? null,
      dismissed: events.dismissed ?? null,
      segment_entered: events.segment_entered ?? null,
      tag_added: events.tag_added ?? null,
    },
    calls: new Set<Call>(direction.calls ?? DEFAULTS.calls),
    traitPrefix: direction.trait_prefix ?? DEFAULTS.traitPrefix,
    anonymous: direction.anonymous ?? DEFAULTS.anonymous,
    userAttributes: direction.user_attributes ?? false,
    questionEvent: null,
    nps: [],
    mapping: [],
    plugins: [],
  }
}

function resolveToRefiner(direction: Part<'to_refiner'>): ToRefinerSettings {
  return {
    enabled: direction.enabled ?? true,
    calls: new Set<Call>(direction.calls ?? DEFAULTS.calls),
    events: resolveNames(direction.events),
    pages: direction.pages ?? false,
    mapping: [],
  }
}

function resolveNames(filter: Part<'to_refiner'>['events']): NameFilter {
  return { include: filter?.include ?? DEFAULTS.include, exclude: filter?.exclude ?? [] }
}

function baseUrl(text: string): string {
  const endpoint = parseEndpoint(text)
  if (!endpoint.ok) throw new Error(`resolving an endpoint: it ${endpoint.problem}`)
  return endpoint.url
}
