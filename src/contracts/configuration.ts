import type { Call } from './call.ts'
import type { JsonObject } from './json.ts'
import type { MappingTest } from './mapping-test.ts'
import type { EventRule, InteractionRule } from './rules.ts'
import type { SegmentDefinition } from './segments.ts'

/**
 * The resolved configuration: what the program runs on. Every value is present, every default applied, every
 * secret read; `config/` makes it from refiner-sync.yaml and is the only place that knows of defaults.
 */

export interface Configuration {
  readonly server: ServerSettings
  readonly database: DatabaseSettings
  readonly delivery: DeliverySettings
  readonly retention: RetentionSettings
  /** By name. */
  readonly plugins: ReadonlyMap<string, PluginSettings>
  /** By tenant name, in the order of the file. */
  readonly tenants: ReadonlyMap<string, Tenant>
  /** Tests of the mapping in the file itself. */
  readonly tests: readonly MappingTest[]
  /** Absolute paths of all files that were read for it: the file itself, presets and secret files. */
  readonly files: readonly string[]
}

export interface ServerSettings {
  readonly host: string
  /** 0 asks the system for a free port. */
  readonly port: number
  /** The largest request body that is read, in bytes, measured after decompression. */
  readonly maxBodyBytes: number
  /** How much may wait for a tenant, items and deliveries together, before what comes is turned away with 503. */
  readonly maxPending: number
  /** Where it is reached from outside, without a slash at its end; null where that is not known. */
  readonly publicUrl: string | null
  /** Opens `/api` and `/ui`; null keeps both closed. */
  readonly adminToken: string | null
}

export interface DatabaseSettings {
  /** Absolute path of the SQLite file. */
  readonly path: string
}

export interface DeliverySettings {
  /** How long one request to Segment or Refiner may take. */
  readonly timeoutMs: number
  /** The wait after the first failed attempt; it doubles with each further one. */
  readonly minBackoffMs: number
  readonly maxBackoffMs: number
  /** Counted from a delivery's first attempt; after it the delivery is dead. */
  readonly giveUpAfterMs: number
}

export interface RetentionSettings {
  /** How long delivered and skipped deliveries are kept once they are settled, and what came in since it came. */
  readonly deliveredMs: number
  /** How long dead deliveries are kept, with what they were made of. */
  readonly deadMs: number
}

export interface PluginSettings {
  readonly name: string
  /** Absolute path of its TypeScript or JavaScript module. */
  readonly path: string
  /** Where the file names it, as `refiner-sync.yaml:12:5`, for messages. */
  readonly place: string
  /** True runs it outside the sandbox, with all that the program itself may do. */
  readonly trusted: boolean
  /** How long one call may take, and how long loading it may take on top of the time that its sandbox needs. */
  readonly timeoutMs: number
  /** The most memory it may hold in the sandbox, of each tenant. */
  readonly memoryBytes: number
  readonly permissions: PluginPermissions
  /** Handed to it as `context.options`. */
  readonly options: JsonObject
}

/** What a sandboxed plugin may use; nothing is granted that is not named. */
export interface PluginPermissions {
  /** Environment variables by name, with their values: secrets. */
  readonly env: ReadonlyMap<string, string>
  /** The clock: `Date.now()` and `new Date()`. */
  readonly time: boolean
  /** `Math.random()` and `crypto.randomUUID()`. */
  readonly random: boolean
  /** Hosts it may fetch from, as `api.example.com` or `localhost:9000`. */
  readonly net: readonly string[]
}

/** One customer's pair of accounts. */
export interface Tenant {
  readonly name: string
  readonly enabled: boolean
  readonly refiner: RefinerSettings
  readonly segment: SegmentSettings
  readonly toSegment: ToSegmentSettings
  readonly toRefiner: ToRefinerSettings
  /** Null where nothing is left out. */
  readonly privacy: PrivacySettings | null
  readonly segments: readonly SegmentDefinition[]
}

/** Patterns of the names of traits, attributes and answers, applied before anything is stored; `deny` wins. */
export interface PrivacySettings {
  readonly allow: readonly string[]
  readonly deny: readonly string[]
  /** Of these a keyed hash is kept instead of the value. */
  readonly hash: readonly string[]
  /** The key; empty only where nothing is hashed. */
  readonly salt: string
}

export interface RefinerSettings {
  /** Empty only where `toRefiner` is not enabled. */
  readonly apiKey: string
  /** Base URL, without a slash at its end: https://api.refiner.io/v1 */
  readonly endpoint: string
  /** Null only where `toSegment` is not enabled. */
  readonly webhook: WebhookCheck | null
  readonly requestsPerSecond: number
  /** How often responses are fetched whose webhook never came, in ms; null: never. */
  readonly pollMs: number | null
}

/** How a Refiner webhook proves that it comes from the tenant's Refiner account. */
export type WebhookCheck =
  | { readonly in: 'bearer'; readonly secret: string }
  | { readonly in: 'header'; readonly secret: string; readonly name: string }
  | { readonly in: 'query'; readonly secret: string; readonly name: string }
  | {
      readonly in: 'hmac'
      readonly secret: string
      /** The header that holds the signature of the body. */
      readonly name: string
      readonly algorithm: 'sha1' | 'sha256' | 'sha512'
      readonly encoding: 'hex' | 'base64'
    }

export interface SegmentSettings {
  /** Empty only where `toSegment` is not enabled. */
  readonly writeKey: string
  /** Base URL, without a slash at its end: https://api.segment.io/v1 */
  readonly endpoint: string
  /** The API keys that we hand out: each selects this tenant. */
  readonly destinationKeys: readonly string[]
  /** Signs the bodies of a Webhooks destination; null when there is none. */
  readonly sharedSecret: string | null
  readonly requestsPerSecond: number
}

/** Patterns in which `*` stands for any characters. A name passes when it is included and not excluded. */
export interface NameFilter {
  readonly include: readonly string[]
  readonly exclude: readonly string[]
}

/** What happened with a survey. */
export type InteractionKind = 'completed' | 'seen' | 'dismissed' | 'segment_entered' | 'tag_added'

export interface ToSegmentSettings {
  readonly enabled: boolean
  /** Matched against the survey's name and its uuid. */
  readonly surveys: NameFilter
  /** The event name for each kind of interaction; null sends no event. */
  readonly events: Readonly<Record<InteractionKind, string | null>>
  /** The event name of one track for each answered question; null sends none. */
  readonly questionEvent: string | null
  /** Patterns of the answers that are NPS scores, from 0 to 10; the first that fits gives `nps_score` and `nps_category`. */
  readonly nps: readonly string[]
  readonly calls: ReadonlySet<Call>
  readonly traitPrefix: string
  /** What stands for the user ID of a contact that has none. */
  readonly anonymous: 'skip' | 'email' | 'anonymous_id'
  /** Whether the contact's own attributes go along with the answers in `identify`. */
  readonly userAttributes: boolean
  /** Applied in order; a preset's rules come first. */
  readonly mapping: readonly InteractionRule[]
  /** Names of plugins, applied in order after the rules. */
  readonly plugins: readonly string[]
}

export interface ToRefinerSettings {
  readonly enabled: boolean
  readonly calls: ReadonlySet<Call>
  /** Matched against the event name of a track. */
  readonly events: NameFilter
  /** Whether Refiner is to delete whom Segment deletes, or the operator forgets. */
  readonly delete: boolean
  /** Whether page and screen calls are taken, as events. */
  readonly pages: boolean
  /** Applied in order. */
  readonly mapping: readonly EventRule[]
}
