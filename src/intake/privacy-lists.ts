import { createHmac } from 'node:crypto'
import type { PrivacySettings } from '../contracts/configuration.ts'
import type { JsonObject, JsonValue } from '../contracts/json.ts'
import type { SegmentMessage } from '../contracts/segment-message.ts'
import { isObject, put } from '../json/objects.ts'
import { matchesPattern } from '../rules/name-filter.ts'

/**
 * What a tenant does not want to keep is left out, or hashed, before anything is stored. By the names of traits,
 * attributes and answers, as they come; what is nested goes by its path, `address.city`, and what goes for `address` goes
 * for all in it. IDs are never touched.
 */

/** A message of Segment without the traits that are not to be kept. */
export function privateMessage(message: SegmentMessage, privacy: PrivacySettings | null): SegmentMessage {
  if (privacy === null) return message
  const context = message.context
  const ofContext = context?.['traits']
  return {
    ...message,
    ...(message.traits !== undefined && { traits: filtered(message.traits, privacy) }),
    ...(isObject(ofContext) && { context: { ...context, traits: filtered(ofContext, privacy) } }),
  }
}

/** The parts of a webhook, besides its IDs, that are about a person or an account. */
const OF_CONTACT = ['email', 'display_name']
const OF_ACCOUNT = ['domain', 'display_name']

/**
 * A webhook body of Refiner without the attributes and answers that are not to be kept. What is polled or brought over
 * must go through it, too, so that it has the message IDs of its webhook.
 */
export function privateWebhook(body: JsonObject, privacy: PrivacySettings | null): JsonObject {
  if (privacy === null) return body
  const kept = withoutFields(body, OF_CONTACT, privacy)
  replace(kept, 'attributes', (attributes) => filtered(attributes, privacy))
  replace(kept, 'account', (account) => {
    const rest = withoutFields(account, OF_ACCOUNT, privacy)
    replace(rest, 'attributes', (attributes) => filtered(attributes, privacy))
    return rest
  })
  replace(kept, 'response', (response) => {
    const rest = { ...response }
    replace(rest, 'data', (answers) => filtered(answers, privacy))
    return rest
  })
  return kept
}

function replace(parent: JsonObject, name: string, change: (value: JsonObject) => JsonObject): void {
  const value = parent[name]
  if (isObject(value)) parent[name] = change(value)
}

/** Copies the object; of the named fields it has what may be kept. */
function withoutFields(object: JsonObject, names: readonly string[], privacy: PrivacySettings): JsonObject {
  const kept = { ...object }
  for (const name of names) {
    const value = kept[name]
    if (value === undefined || value === null) continue
    const { [name]: left } = filtered({ [name]: value }, privacy)
    if (left === undefined) delete kept[name]
    else kept[name] = left
  }
  return kept
}

function filtered(values: JsonObject, privacy: PrivacySettings): JsonObject {
  return within(values, '', false, privacy)
}

function within(values: JsonObject, path: string, isAllowed: boolean, privacy: PrivacySettings): JsonObject {
  const { allow, deny, hash } = privacy
  const kept: JsonObject = {}
  for (const name in values) {
    const value = values[name]!
    const at = path === '' ? name : `${path}.${name}`
    const fits = (pattern: string) => matchesPattern(pattern, at)
    if (deny.some(fits)) continue
    const isHashed = hash.some(fits)
    const goesFor = isAllowed || isHashed || allow.some(fits)
    if (isHashed) {
      put(kept, name, value === null ? null : hashed(value, privacy))
    } else if (isObject(value)) {
      const inside = within(value, at, goesFor, privacy)
      if (goesFor || Object.keys(inside).length > 0) put(kept, name, inside)
    } else if (goesFor) {
      put(kept, name, value)
    }
  }
  return kept
}

/** The same for a number and its text: Refiner's webhooks and its API differ there. */
function hashed(value: JsonValue, { salt }: PrivacySettings): string {
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value)
  return createHmac('sha256', salt).update(text).digest('hex')
}
