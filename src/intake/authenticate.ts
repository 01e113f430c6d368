import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Tenant, WebhookCheck } from '../contracts/configuration.ts'
import { requestUrl } from '../http/request-url.ts'

/**
 * Secrets are never compared themselves: both sides are hashed behind a prefix that exists only in this process, and the
 * digests are compared in constant time. Neither the time a look-up takes nor that of a comparison tells how much of
 * a guess was right, nor how long the secret is. No digest leaves the process, so a plain prefix does what an HMAC
 * does, at a third of its time; the digest of what is expected is made once.
 */
const processKey = randomBytes(64).toString('latin1')
/** Stands for the secret of a tenant that does not exist, so that asking for one costs the same. */
const nobodysSecret = randomBytes(32).toString('hex')

function digest(secret: string): Buffer {
  return Bun.CryptoHasher.hash('sha256', processKey + secret)
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
        this.#tenants.set(digest(key).toString('latin1'), tenant)
    }
  }

  /** The tenant whose key this is; null for a key that is nobody's. */
  tenantOf(key: string): Tenant | null {
    return this.#tenants.get(digest(key).toString('latin1')) ?? null
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
  const presented = digest(presentedSecret(request, check) ?? '')
  if (check.in === 'hmac') {
    const expected = createHmac(check.algorithm, check.secret).update(body).digest(check.encoding)
    return timingSafeEqual(presented, digest(expected))
  }
  if (timingSafeEqual(presented, expectedDigest(check)) && check !== NOBODYS_CHECK) return true
  // A refusal costs a signature of the body whatever the check is: its time must not tell what kind the check is, nor
  // whether there is such a tenant. Who has the secret knows both.
  createHmac('sha256', check.secret).update(body).digest('hex')
  return false
}

/** Digests of the secrets of configurations that are in force. */
const expectedDigests = new WeakMap<WebhookCheck, Buffer>()

function expectedDigest(check: WebhookCheck): Buffer {
  const known = expectedDigests.get(check)
  if (known !== undefined) return known
  const made = digest(check.secret)
  expectedDigests.set(check, made)
  return made
}

const NOBODYS_CHECK: WebhookCheck = { in: 'bearer', secret: nobodysSecret }

function presentedSecret(request: Request, check: WebhookCheck): string | null {
  switch (check.in) {
    case 'bearer':
      return /^bearer\s+(.*)$/i.exec(request.headers.get('authorization') ?? '')?.[1]?.trim() ?? null
    case 'header':
      return request.headers.get(check.name)
    case 'query':
      return requestUrl(request).searchParams.get(check.name)
    case 'hmac': {
      const value = request.headers.get(check.name)?.trim() ?? null
      const bare = value?.replace(new RegExp(`^${check.algorithm}=`, 'i'), '') ?? null
      return check.encoding === 'hex' ? (bare?.toLowerCase() ?? null) : bare
    }
  }
}
