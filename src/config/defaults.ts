/**
 * What holds when the file is silent, written as the file would write it. `resolve.ts` applies these once; the schema
 * shows the same values to editors, so that the two cannot differ.
 */
export const DEFAULTS = {
  host: '127.0.0.1',
  port: 8787,
  maxBody: '1MB',
  /** Some tens of gigabytes: a bound for the disk, far beyond three days of most tenants. */
  maxPending: 5_000_000,
  database: 'sqlite://./data/refiner-sync.db',
  timeout: '10s',
  minBackoff: '1s',
  maxBackoff: '1h',
  /** The product promises at least three days of retries; one more covers a weekend that nobody watched. */
  giveUpAfter: '4d',
  keepDelivered: '30d',
  keepDead: '90d',
  refinerEndpoint: 'https://api.refiner.io/v1',
  /** Refiner publishes no limit, so this is a careful guess. */
  refinerRate: '10/s',
  segmentRegion: 'us',
  segmentRate: '50/s',
  webhookIn: 'bearer',
  webhookHeader: 'X-Refiner-Secret',
  webhookQuery: 'secret',
  webhookSignature: 'X-Refiner-Signature',
  algorithm: 'sha256',
  encoding: 'hex',
  include: ['*'],
  /** Refiner's own name for it, as its webhook's `triggered_event` says. */
  completedEvent: 'Completed Survey',
  calls: ['identify', 'group', 'track'],
  traitPrefix: 'refiner_',
  anonymous: 'skip',
  /** What `nps: true` stands for. */
  nps: ['nps', 'nps_*', '*_nps'],
  onError: 'skip_rule',
  pluginTimeout: '100ms',
  pluginMemory: '32MB',
} as const

/** Segment's ingestion hosts: the US one answers 200 to the key of an EU workspace and drops the message. */
export const SEGMENT_ENDPOINTS = {
  us: 'https://api.segment.io/v1',
  eu: 'https://events.eu1.segmentapis.com/v1',
} as const
