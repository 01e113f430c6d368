import { DEFAULTS } from '../config/defaults.ts'

export const WEBHOOK_WAYS = ['bearer', 'header', 'query', 'hmac'] as const
export type WebhookWay = (typeof WEBHOOK_WAYS)[number]

export const REGIONS = ['us', 'eu'] as const
export type Region = (typeof REGIONS)[number]

/** What a first configuration depends on. */
export interface Choices {
  readonly tenant: string
  readonly region: Region
  /** How the webhook carries its secret. */
  readonly webhookIn: WebhookWay
  /** Null for that of the preset, or the default. */
  readonly traitPrefix: string | null
  /** Null for none. */
  readonly preset: string | null
}

export const DEFAULT_CHOICES: Choices = {
  tenant: 'acme',
  region: DEFAULTS.segmentRegion,
  webhookIn: DEFAULTS.webhookIn,
  traitPrefix: null,
  preset: null,
}

/** The environment variables that hold a tenant's secrets. */
export interface SecretNames {
  readonly apiKey: string
  readonly webhookSecret: string
  readonly writeKey: string
  readonly destinationKey: string
}

/** `my-shop` has `MY_SHOP_REFINER_API_KEY` and so on. */
export function secretNames(tenant: string): SecretNames {
  const upper = tenant.toUpperCase().replaceAll(/[^A-Z0-9]+/g, '_')
  const prefix = /^\d/.test(upper) ? `TENANT_${upper}` : upper
  return {
    apiKey: `${prefix}_REFINER_API_KEY`,
    webhookSecret: `${prefix}_REFINER_WEBHOOK_SECRET`,
    writeKey: `${prefix}_SEGMENT_WRITE_KEY`,
    destinationKey: `${prefix}_DESTINATION_KEY`,
  }
}
