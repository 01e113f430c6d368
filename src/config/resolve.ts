import type { Static } from '@sinclair/typebox'
import type { Call } from '../contracts/call.ts'
import type {
  Configuration,
  DeliverySettings,
  NameFilter,
  PrivacySettings,
  RefinerSettings,
  RetentionSettings,
  SegmentSettings,
  ServerSettings,
  Tenant,
  ToRefinerSettings,
  ToSegmentSettings,
  WebhookCheck,
} from '../contracts/configuration.ts'
import type { SegmentDefinition } from '../contracts/segments.ts'
import { databasePath } from './database-path.ts'
import { DEFAULTS, SEGMENT_ENDPOINTS } from './defaults.ts'
import { parseEndpoint, parsePublicUrl } from './endpoint.ts'
import type { ConfigurationFile } from './schema.ts'
import type { Sheet } from './checks/sheet.ts'
import { resolvePlugins } from './resolve-plugins.ts'
import { eventRules, interactionRules } from './resolve-rules.ts'
import { resolveTests } from './resolve-tests.ts'
import type { PresetFile, TenantFields } from './schema-tenant.ts'
import { parseDuration, parseRate, parseSize } from './units.ts'

type TenantFile = Static<typeof TenantFields>
type Part<Key extends keyof TenantFile> = NonNullable<TenantFile[Key]>
type WebhookFile = NonNullable<Part<'refiner'>['webhook']>

/**
 * Applies every default, once, to a file without mistakes.
 *
 * @param presets those that its tenants name
 * @param files absolute paths of all that was read
 */
export function resolveConfiguration(
  sheet: Sheet,
  presets: ReadonlyMap<string, Sheet>,
  files: readonly string[],
): Configuration {
  const file = sheet.value as ConfigurationFile
  return {
    server: resolveServer(file.server ?? {}),
    database: { path: databasePath(file.database ?? DEFAULTS.database, sheet.folder) },
    delivery: resolveDelivery(file.delivery ?? {}),
    retention: resolveRetention(file.retention ?? {}),
    plugins: resolvePlugins(sheet, file.plugins ?? {}),
    tenants: new Map(
      sheet.tenants().map((name) => [name, resolveTenant(sheet, name, file.tenants[name]!, presets)]),
    ),
    tests: resolveTests(sheet, file.tests ?? []),
    files,
  }
}

function resolveServer(server: NonNullable<ConfigurationFile['server']>): ServerSettings {
  return {
    host: server.host ?? DEFAULTS.host,
    port: server.port ?? DEFAULTS.port,
    maxBodyBytes: parseSize(server.max_body ?? DEFAULTS.maxBody),
    maxPending: server.max_pending ?? DEFAULTS.maxPending,
    publicUrl: server.public_url === undefined ? null : publicUrl(server.public_url),
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

function resolveRetention(retention: NonNullable<ConfigurationFile['retention']>): RetentionSettings {
  return {
    deliveredMs: parseDuration(retention.delivered ?? DEFAULTS.keepDelivered),
    deadMs: parseDuration(retention.dead ?? DEFAULTS.keepDead),
  }
}

function resolveTenant(
  sheet: Sheet,
  name: string,
  tenant: TenantFile,
  presets: ReadonlyMap<string, Sheet>,
): Tenant {
  const preset = presets.get(tenant.to_segment?.preset ?? '') ?? null
  return {
    name,
    enabled: tenant.enabled ?? true,
    refiner: resolveRefiner(tenant.refiner ?? {}),
    segment: resolveSegment(tenant.segment ?? {}),
    toSegment: resolveToSegment(sheet, name, tenant.to_segment ?? {}, preset),
    toRefiner: resolveToRefiner(sheet, name, tenant.to_refiner ?? {}),
    privacy: resolvePrivacy(tenant.privacy?.traits),
    segments: (tenant.segments ?? []).map(resolveSegmentDefinition),
  }
}

function resolveSegmentDefinition(segment: Part<'segments'>[number]): SegmentDefinition {
  return {
    name: segment.name,
    condition: segment.when,
    refinerSegment: segment.refiner_segment ?? null,
    trait: segment.to_segment?.trait ?? null,
    enteredEvent: segment.to_segment?.entered ?? null,
    leftEvent: segment.to_segment?.left ?? null,
  }
}

function resolvePrivacy(traits: Part<'privacy'>['traits']): PrivacySettings | null {
  if (traits === undefined) return null
  const { allow = DEFAULTS.include, deny = [], hash = [], salt = '' } = traits
  return { allow, deny, hash, salt }
}

function resolveRefiner(refiner: Part<'refiner'>): RefinerSettings {
  return {
    apiKey: refiner.api_key ?? '',
    endpoint: baseUrl(refiner.endpoint ?? DEFAULTS.refinerEndpoint),
    webhook: refiner.webhook === undefined ? null : resolveWebhook(refiner.webhook),
    requestsPerSecond: parseRate(refiner.rate_limit ?? DEFAULTS.refinerRate),
    pollMs: refiner.poll === undefined ? null : parseDuration(refiner.poll),
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

function resolveToSegment(
  sheet: Sheet,
  tenant: string,
  own: Part<'to_segment'>,
  preset: Sheet | null,
): ToSegmentSettings {
  // The tenant's own settings win key by key, and those of events, too.
  const ofPreset = (preset?.value ?? {}) as PresetFile
  const direction = { ...ofPreset, ...own }
  const events = { ...ofPreset.events, ...own.events }
  const first = preset === null ? [] : interactionRules(preset, ['mapping'], 0)
  const rest = interactionRules(sheet, ['tenants', tenant, 'to_segment', 'mapping'], first.length)
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
    questionEvent: events.question ?? null,
    nps: resolveNps(direction.nps ?? false),
    mapping: [...first, ...rest].map(({ rule }) => rule),
    plugins: direction.plugins ?? [],
  }
}

function resolveNps(nps: readonly string[] | boolean): readonly string[] {
  if (typeof nps !== 'boolean') return nps
  return nps ? DEFAULTS.nps : []
}

function resolveToRefiner(sheet: Sheet, tenant: string, direction: Part<'to_refiner'>): ToRefinerSettings {
  return {
    enabled: direction.enabled ?? true,
    calls: new Set<Call>(direction.calls ?? DEFAULTS.calls),
    events: resolveNames(direction.events),
    delete: direction.delete ?? false,
    pages: direction.pages ?? false,
    mapping: eventRules(sheet, ['tenants', tenant, 'to_refiner', 'mapping'], 0).map(({ rule }) => rule),
  }
}

function resolveNames(filter: Part<'to_refiner'>['events']): NameFilter {
  return { include: filter?.include ?? DEFAULTS.include, exclude: filter?.exclude ?? [] }
}

function publicUrl(text: string): string {
  const parsed = parsePublicUrl(text)
  if (!parsed.ok) throw new Error(`resolving the public URL: it ${parsed.problem}`)
  return parsed.url
}

function baseUrl(text: string): string {
  const endpoint = parseEndpoint(text)
  if (!endpoint.ok) throw new Error(`resolving an endpoint: it ${endpoint.problem}`)
  return endpoint.url
}
