import type { Tenant } from '../contracts/configuration.ts'
import type { InboxAppender } from '../contracts/inbox.ts'
import { type KeyRing, apiKeyOf, segmentSignatureFits } from './authenticate.ts'
import { type JsonBody, parseJson, readBytes } from './read-body.ts'
import { Refusal, UNAUTHORIZED } from './refusal.ts'
import { senderId } from '../contracts/sender-ids.ts'
import { privateMessage } from './privacy-lists.ts'
import { readSegmentBody, type SegmentBody, writeKeyIn } from './segment-body.ts'

/** What was kept of a request, with what could not be. */
export interface Accepted {
  readonly tenant: string
  readonly accepted: number
  readonly duplicates: number
  readonly errors: readonly { readonly index: number; readonly status: number; readonly message: string }[]
}

/** Refused as a whole; `errors` says why, message by message, where there were several. */
export interface Rejected {
  readonly refusal: Refusal
  /** Whose it is, as its key says; absent where there is no key that fits. */
  readonly whose?: string
  readonly errors: Accepted['errors']
}

/** As many bad messages of one request are named; a body of trash must not become an answer many times as long. */
const MOST_ERRORS = 1000

export interface SegmentIntakeParts {
  readonly tenants: ReadonlyMap<string, Tenant>
  readonly keys: KeyRing
  readonly inbox: InboxAppender
  readonly maxBodyBytes: number
}

/** Takes the messages of Segment, of its Webhooks destination and of its SDKs. */
export class SegmentIntake {
  constructor(private readonly parts: SegmentIntakeParts) {}

  /** A direct destination: the API key in the Authorization header says whose messages these are. */
  async takeDirect(request: Request): Promise<Accepted | Rejected> {
    const key = apiKeyOf(request)
    const tenant = key === null ? null : this.parts.keys.tenantOf(key)
    if (tenant === null) return rejected(UNAUTHORIZED)
    const bytes = await readBytes(request, this.parts.maxBodyBytes)
    return bytes instanceof Refusal ? rejected(bytes) : this.#take(tenant, parseJson(bytes), null)
  }

  /** A Webhooks destination: signed with the shared secret of the tenant in the path, or with one of its API keys. */
  async takeWebhook(request: Request, name: string): Promise<Accepted | Rejected> {
    const bytes = await readBytes(request, this.parts.maxBodyBytes)
    if (bytes instanceof Refusal) return rejected(bytes)
    const tenant = this.parts.tenants.get(name)
    const signature = request.headers.get('x-signature')
    const key = apiKeyOf(request)
    const known =
      (signature !== null && segmentSignatureFits(signature, bytes, tenant)) ||
      (key !== null && this.parts.keys.tenantOf(key)?.name === name)
    if (tenant === undefined || !known) return rejected(UNAUTHORIZED)
    return this.#take(tenant, parseJson(bytes), null)
  }

  /** The Tracking API's routes: the write key, in the header or the body, is a destination key. */
  async takeTracking(request: Request, type: string | null): Promise<Accepted | Rejected> {
    const headerKey = apiKeyOf(request)
    if (headerKey !== null && this.parts.keys.tenantOf(headerKey) === null) return rejected(UNAUTHORIZED)
    const bytes = await readBytes(request, this.parts.maxBodyBytes)
    if (bytes instanceof Refusal) return rejected(bytes)
    const key = headerKey ?? writeKeyIn(bytes)
    const tenant = key === null ? null : this.parts.keys.tenantOf(key)
    return tenant === null ? rejected(UNAUTHORIZED) : this.#take(tenant, parseJson(bytes), type)
  }

  async #take(tenant: Tenant, json: JsonBody | Refusal, type: string | null): Promise<Accepted | Rejected> {
    const closed = closedReason(tenant)
    const whose = tenant.name
    if (closed !== null) return { ...rejected(closed), whose }
    if (json instanceof Refusal) return { ...rejected(json), whose }
    const body = readSegmentBody(json.value, type, tenant.toRefiner.pages)
    if (body instanceof Refusal) return { ...rejected(body), whose }
    const errors = body.refused
      .slice(0, MOST_ERRORS)
      .map(({ index, refusal: { status, message } }) => ({ index, status, message }))
    if (body.messages.length === 0)
      return { refusal: wholeRefusal(body), whose, errors: errors.length > 1 ? errors : [] }
    const appended = await this.parts.inbox.append(
      body.messages.map((message) => ({
        tenant: tenant.name,
        source: 'segment',
        dedupKey: senderId(message.messageId),
        payload: JSON.stringify(privateMessage(message, tenant.privacy)),
      })),
    )
    return { tenant: tenant.name, accepted: appended.stored, duplicates: appended.duplicates, errors }
  }
}

function closedReason(tenant: Tenant): Refusal | null {
  if (!tenant.enabled)
    return new Refusal(403, 'this tenant is switched off in refiner-sync.yaml (enabled: false)')
  if (tenant.toRefiner.enabled) return null
  return new Refusal(403, 'Segment to Refiner is switched off for this tenant (to_refiner.enabled: false)')
}

/** Of a request none of whose messages can be kept: the one status that all share, or 400. */
function wholeRefusal({ refused }: SegmentBody): Refusal {
  const [first] = refused
  if (refused.length === 1 && first) return first.refusal
  const statuses = new Set(refused.map(({ refusal }) => refusal.status))
  const message = `none of the ${refused.length} messages can be taken; the first: ${first!.refusal.message}`
  return new Refusal(statuses.size === 1 ? first!.refusal.status : 400, message)
}

function rejected(refusal: Refusal): Rejected {
  return { refusal, errors: [] }
}
