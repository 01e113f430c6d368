import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Tenant, WebhookCheck } from '../contracts/configuration.ts'

/**
 * Secrets are never compared themselves: both sides go through an HMAC under a key that exists only in this process, and
 * the digests are compared in constant time. Neither the time a look-up takes nor that of a comparison tells how
 * much of a guess was right, nor how long the secret is.
 */
const processKey = randomBytes(32)
/** Stands for the secret of a tenant that does not exist, so that asking for one costs the same. */
const nobodysSecret = randomBytes(32).toString('hex')

function digest(secret: string): Buffer {
  return createHmac('sha256', processKey).update(secret).digest()
}

export function secretsEqual(presented: string, expected: string): boolean {
  return timingSafeEqual(digest(presented), digest(expected))
}

/** The tenants by the API keys that were given to Segment. */
export class KeyRing {
  readonly #tenants = new Map<string, Tenant>()

  constructor(tenants: Iterable<Tenant>) {
    for (const tenant of tenants) {
      for (const key of tenant.segment.destinationKeys)
        this.#tenants.set(digest(key).toString('base64'), tenant)
    }
  }

  /** The tenant whose key this is; null for a key that is nobody's. */
  tenantOf(key: string): Tenant | null {
    return this.#tenants.get(digest(key).toString('base64')) ?? null
  }
}

/** The API key of a request: a Bearer token, or the user name of Basic as Segment sends it. Null without one. */
export function apiKeyOf(request: Request): string | null {
  const header = request.headers.get('authorization')
  if (header === null) return null
  const space = header.indexOf(' ')
  const scheme = header.slice(0, space).toLowerCase()
  const value = header.slice(space + 1).trim()
  if (scheme === 'bearer') return value === '' ? null : value
  if (scheme !== 'basic') return null
  const [user = ''] = Buffer.from(value, 'base64').toString('utf8').split(':')
  return user === '' ? null : user
}

/**
 * Whether X-Signature is that of a Webhooks destination with this shared secret: hex HMAC-SHA1 of the body or, for a
 * batch, of the first message only, as JSON.stringify writes it.
 * Source: https://segment.com/docs/connections/destinations/catalog/actions-webhook/
 */
export function segmentSignatureFits(signature: string, body: Buffer, tenant: Tenant | undefined): boolean {
  const secret = tenant?.segment.sharedSecret ?? nobodysSecret
  const sign = (text: Buffer | string) => createHmac('sha1', secret).update(text).digest('hex')
  const presented = signature.trim().toLowerCase()
  const first = firstMessage(body)
  const fits = secretsEqual(presented, sign(body)) || (first !== null && secretsEqual(presented, sign(first)))
  return fits && tenant !== undefined && tenant.segment.sharedSecret !== null
}

/** Null for a body that is no batch. */
function firstMessage(body: Buffer): string | null {
  try {
    const messages: unknown = JSON.parse(body.toString('utf8'))
    return Array.isArray(messages) && messages.length > 0 ? JSON.stringify(messages[0]) : null
  } catch {
    return null
  }
}

/** Whether a Refiner webhook carries the tenant's secret, in the way that the tenant's configuration says. */
export function webhookSecretFits(request: Request, body: Buffer, tenant: Tenant | undefined): boolean {
  const check = tenant?.refiner.webhook ?? NOBODYS_CHECK
  // The body is signed whatever the check is: the time must not tell what kind it is, nor whether the tenant exists.
  const signature = createHmac(check.in === 'hmac' ? check.algorithm : 'sha256', check.secret).update(body)
  const expected = check.in === 'hmac' ? signature.digest(check.encoding) : check.secret
  if (check.in !== 'hmac') signature.digest()
  return secretsEqual(presentedSecret(request, check) ?? '', expected) && check !== NOBODYS_CHECK
}

const NOBODYS_CHECK: WebhookCheck = { in: 'bearer', secret: nobodysSecret }

function presentedSecret(request: Request, check: WebhookCheck): string | null {
  switch (check.in) {
    case 'bearer':
      return /^bearer\s+(.*)$/i.exec(request.headers.get('authorization') ?? '')?.[1]?.trim() ?? null
    case 'header':
      return request.headers.get(check.name)
    case 'query':
      return new URL(request.url).searchParams.get(check.name)
    case 'hmac': {
      const value = request.headers.get(check.name)?.trim() ?? null
      const bare = value?.replace(new RegExp(`^${check.algorithm}=`, 'i'), '') ?? null
      return check.encoding === 'hex' ? (bare?.toLowerCase() ?? null) : bare
    }
  }
}
