import type { BackfillFilter } from '../contracts/backfill.ts'
import type { JsonObject, JsonValue } from '../contracts/json.ts'
import { privateWebhook } from '../intake/privacy-lists.ts'
import { webhookBodiesOf } from '../intake/response-item.ts'
import { matchesPattern } from '../rules/name-filter.ts'
import type { BackfillSource, Person } from './source.ts'

/** What a response item of Refiner tells, or why it is not asked. */
export type Told =
  | { readonly kind: 'leftOut' }
  | { readonly kind: 'forgotten' }
  /** The webhook bodies that Refiner would have sent, in the order in which it happened. */
  | { readonly kind: 'bodies'; readonly bodies: readonly string[] }

/** What a response item tells, as far as it is meant. */
export function toldBy(
  item: JsonObject,
  { tenant, filter }: { readonly tenant: string; readonly filter: Pick<BackfillFilter, 'surveys'> },
  source: BackfillSource,
): Told {
  if (!isMeant(item, filter.surveys)) return { kind: 'leftOut' }
  if (source.isForgotten(tenant, personOf(object(item['contact'])))) return { kind: 'forgotten' }
  const privacy = source.privacy(tenant)
  const bodies = webhookBodiesOf(item, source.kinds(tenant)).map((body) =>
    JSON.stringify(privateWebhook(body, privacy)),
  )
  return bodies.length === 0 ? { kind: 'leftOut' } : { kind: 'bodies', bodies }
}

/** Whom a contact of Refiner is. */
export function personOf(contact: JsonObject): Person {
  return { userId: text(contact['remote_id']), email: text(contact['email']), uuid: text(contact['uuid']) }
}

function isMeant(item: JsonObject, surveys: readonly string[]): boolean {
  if (surveys.length === 0) return true
  const form = object(item['form'])
  const names = [text(form['name']), text(form['uuid'])]
  return surveys.some((pattern) => names.some((name) => name !== null && matchesPattern(pattern, name)))
}

function object(value: JsonValue | undefined): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {}
}

function text(value: JsonValue | undefined): string | null {
  if (typeof value === 'number') return String(value)
  return typeof value === 'string' && value !== '' ? value : null
}
