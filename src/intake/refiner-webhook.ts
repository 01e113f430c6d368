import { createHash } from 'node:crypto'
import type { Tenant } from '../contracts/configuration.ts'
import type { InboxAppender } from '../contracts/inbox.ts'
import { webhookSecretFits } from './authenticate.ts'
import { privateWebhookText } from './privacy-lists.ts'
import { parseJson, readBytes } from './read-body.ts'
import { Refusal, UNAUTHORIZED } from './refusal.ts'
import type { Accepted, Rejected } from './segment-intake.ts'

export interface RefinerWebhookParts {
  readonly tenants: ReadonlyMap<string, Tenant>
  readonly inbox: InboxAppender
  readonly maxBodyBytes: number
}

/** One of these makes a body a webhook of Refiner; what is in it is for the mapping to make out. */
const FIELDS = ['triggered_event', 'response', 'form', 'remote_id', 'uuid', 'segments']

/** Takes the webhooks of Refiner, as they are: an answer must not be lost to a detail that nobody foresaw. */
export class RefinerWebhook {
  constructor(private readonly parts: RefinerWebhookParts) {}

  async take(request: Request, name: string): Promise<Accepted | Rejected> {
    const body = await this.#read(request, name)
    if (body instanceof Refusal) return { refusal: body, errors: [] }
    const { stored, duplicates } = await this.parts.inbox.append([
      { tenant: name, source: 'refiner_webhook', dedupKey: body.digest, payload: body.text },
    ])
    return { tenant: name, accepted: stored, duplicates, errors: [] }
  }

  async #read(request: Request, name: string): Promise<{ digest: string; text: string } | Refusal> {
    const bytes = await readBytes(request, this.parts.maxBodyBytes)
    if (bytes instanceof Refusal) return bytes
    const tenant = this.parts.tenants.get(name)
    if (!webhookSecretFits(request, bytes, tenant) || tenant === undefined) return UNAUTHORIZED
    if (!tenant.enabled)
      return new Refusal(403, 'this tenant is switched off in refiner-sync.yaml (enabled: false)')
    if (!tenant.toSegment.enabled) {
      return new Refusal(
        403,
        'Refiner to Segment is switched off for this tenant (to_segment.enabled: false)',
      )
    }
    const json = parseJson(bytes)
    if (json instanceof Refusal) return json
    if (!isWebhook(json.value)) {
      return new Refusal(
        400,
        'this is no webhook of Refiner: a JSON object with triggered_event, form and response',
      )
    }
    return {
      digest: createHash('sha256').update(bytes).digest('hex'),
      text: privateWebhookText(json, tenant.privacy),
    }
  }
}

function isWebhook(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  return FIELDS.some((field) => Object.hasOwn(value, field))
}
