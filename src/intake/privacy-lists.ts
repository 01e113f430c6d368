import { createHmac } from 'node:crypto'
import type { PrivacySettings } from '../contracts/configuration.ts'
import type { JsonObject, JsonValue } from '../contracts/json.ts'
import type { SegmentMessage } from '../contracts/segment-message.ts'
import { isObject, put } from '../json/objects.ts'
import { matchesPattern } from '../rules/name-filter.ts'
import type { JsonBody } from './read-body.ts'

/**
 * What a tenant does not want to keep is left out, or hashed, before anything is stored. By the names of traits,
 * attributes and answers; what is nested goes by its path, `address.city`, also in a list, and what goes for `address` goes
 * for all in it. `Email` and `email` are one name to most who send them: what is to be left out or hashed is so in any
 * casing, while only what is spelled as allowed is. IDs are never touched.
 */

/** A message of Segment without the traits that are not to be kept. */
export function privateMessage(message: SegmentMessage, privacy: PrivacySettings | null): SegmentMessage {
  if (privacy === null) return message
  const context = { ...message.context }
  for (const name in context) {
    if (name.toLowerCase() === 'traits') context[name] = filteredValue(context[name]!, privacy)
  }
  return {
    ...message,
    ...(message.traits !== undefined && { traits: filtered(message.traits, privacy) }),
    ...(message.context !== undefined && { context }),
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
  replaceValue(kept, 'attributes', privacy)
  replace(kept, 'account', (account) => {
    const rest = withoutFields(account, OF_ACCOUNT, privacy)
    replaceValue(rest, 'attributes', privacy)
    return rest
  })
  replace(kept, 'response', (response) => {
    const rest = { ...response }
    replaceValue(rest, 'data', privacy)
    return rest
  })
  return kept
}

/** The text of a webhook body to be stored: as it came, unless the tenant wants something left out. */
export function privateWebhookText({ text, value }: JsonBody, privacy: PrivacySettings | null): string {
  return privacy === null ? text : JSON.stringify(privateWebhook(value as JsonObject, privacy))
}

function replace(parent: JsonObject, name: string, change: (value: JsonObject) => JsonObject): void {
  const value = parent[name]
  if (isObject(value)) parent[name] = change(value)
}

function replaceValue(parent: JsonObject, name: string, privacy: PrivacySettings): void {
  const value = parent[name]
  if (value !== undefined) parent[name] = filteredValue(value, privacy)
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

/** The same of what ought to be an object, and may be a list of them. */
function filteredValue(value: JsonValue, privacy: PrivacySettings): JsonValue {
  if (value === null || isObject(value)) return value === null ? null : filtered(value, privacy)
  return inside(value, '', privacy.allow.includes('*'), privacy) ?? null
}

function within(values: JsonObject, path: string, isAllowed: boolean, privacy: PrivacySettings): JsonObject {
  const { allow, deny, hash } = privacy
  const kept: JsonObject = {}
  for (const name in values) {
    const value = values[name]!
    const at = path === '' ? name : `${path}.${name}`
    const small = at.toLowerCase()
    const fits = (pattern: string) => matchesPattern(pattern.toLowerCase(), small)
    if (deny.some(fits)) continue
    const isHashed = hash.some(fits)
    const goesFor = isAllowed || isHashed || allow.some((pattern) => matchesPattern(pattern, at))
    if (isHashed) {
      put(kept, name, value === null ? null : hashed(value, privacy))
    } else {
      const left = inside(value, at, goesFor, privacy)
      if (left !== undefined) put(kept, name, left)
    }
  }
  return kept
}

/** What is left of a value under a name; undefined for nothing. */
function inside(
  value: JsonValue,
  at: string,
  goesFor: boolean,
  privacy: PrivacySettings,
): JsonValue | undefined {
  if (Array.isArray(value)) {
    const left = value.map((one) => inside(one, at, goesFor, privacy)).filter((one) => one !== undefined)
    return goesFor || left.length > 0 ? left : undefined
  }
  if (isObject(value)) {
    const left = within(value, at, goesFor, privacy)
    return goesFor || Object.keys(left).length > 0 ? left : undefined
  }
  return goesFor ? value : undefined
}

/** The same for a number and its text: Refiner's webhooks and its API differ there. */
function hashed(value: JsonValue, { salt }: PrivacySettings): string {
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value)
  return createHmac('sha256', salt).update(text).digest('hex')
}
