import { type Static, Type } from '@sinclair/typebox'
import { DEFAULTS } from './defaults.ts'
import { closed, duration, optional, secret, size, text } from './schema-fields.ts'
import { PluginFields } from './schema-plugin.ts'
import { TenantFields } from './schema-tenant.ts'
import { TestList } from './schema-tests.ts'

/**
 * The shape of refiner-sync.yaml, the only place where it is written down: the loader checks the file against it,
 * and config/refiner-sync.schema.json is generated from it for editors.
 */

const Server = Type.Object(
  {
    host: optional(text('The address to listen on.', { default: DEFAULTS.host })),
    port: optional(
      Type.Integer({
        minimum: 0,
        maximum: 65535,
        default: DEFAULTS.port,
        description: 'The port to listen on; 0 takes a free one.',
      }),
    ),
    max_body: optional(
      size('The largest request body, measured after decompression.', '1GB', { default: DEFAULTS.maxBody }),
    ),
    max_pending: optional(
      Type.Integer({
        minimum: 1000,
        maximum: 1_000_000_000,
        default: DEFAULTS.maxPending,
        description:
          'How much may wait for a tenant, items and deliveries together; beyond it what comes is answered 503 until less waits.',
      }),
    ),
    public_url: optional(
      text(
        'Where Segment and Refiner reach it, such as https://sync.example.com; `check --online` tries whether it answers.',
      ),
    ),
    admin_token: optional(
      secret("Opens the operator's API and console (/api, /ui). Without it both stay closed."),
    ),
  },
  { ...closed, description: 'Where the daemon listens.' },
)

// The upper bounds keep every wait below the 24.8 days after which a JavaScript timer fires at once instead.
const Delivery = Type.Object(
  {
    timeout: optional(
      duration('How long one request to Segment or Refiner may take.', '1ms', '10m', {
        default: DEFAULTS.timeout,
      }),
    ),
    min_backoff: optional(
      duration('The wait after a first failed attempt; it doubles each time.', '1ms', '1d', {
        default: DEFAULTS.minBackoff,
      }),
    ),
    max_backoff: optional(
      duration('The longest wait between two attempts.', '1ms', '1d', { default: DEFAULTS.maxBackoff }),
    ),
    give_up_after: optional(
      duration('Counted from the first attempt; then the delivery is kept as dead.', '1ms', '365d', {
        default: DEFAULTS.giveUpAfter,
      }),
    ),
  },
  { ...closed, description: 'How deliveries are sent and retried.' },
)

const Retention = Type.Object(
  {
    delivered: optional(
      duration('How long delivered and skipped deliveries are kept, and what came in.', '1s', '3650d', {
        default: DEFAULTS.keepDelivered,
      }),
    ),
    dead: optional(
      duration('How long dead deliveries are kept, with what they were made of.', '1s', '3650d', {
        default: DEFAULTS.keepDead,
      }),
    ),
  },
  { ...closed, description: 'How long the past is kept.' },
)

/** A tenant's name is part of URLs, metrics and the database. */
export const TENANT_NAME = '^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$'

const Name = Type.String({ pattern: TENANT_NAME })

export const ConfigurationFile = Type.Object(
  {
    server: optional(Server),
    database: optional(
      Type.String({
        pattern: '^sqlite://.+',
        default: DEFAULTS.database,
        description: 'The SQLite file: sqlite:// and a path, relative to this file.',
      }),
    ),
    delivery: optional(Delivery),
    retention: optional(Retention),
    plugins: optional(Type.Record(Name, PluginFields, { ...closed, description: 'Plugins by name.' })),
    tenants: Type.Record(Name, TenantFields, {
      ...closed,
      minProperties: 1,
      description: 'Pairs of accounts, by a name that becomes part of the webhook URLs.',
    }),
    tests: optional(TestList),
  },
  {
    ...closed,
    $id: 'refiner-sync.schema.json',
    title: 'refiner-sync.yaml',
    description: 'Configuration of refiner-sync.',
  },
)
export type ConfigurationFile = Static<typeof ConfigurationFile>
