import type { JsonObject, JsonValue } from '../contracts/json.ts'
import { put } from '../json/objects.ts'

/** The top-level fields of the Segment spec, under the names that the program uses. */
const CANONICAL = [
  'type',
  'messageId',
  'userId',
  'anonymousId',
  'groupId',
  'previousId',
  'event',
  'name',
  'category',
  'traits',
  'properties',
  'context',
  'integrations',
  'timestamp',
  'originalTimestamp',
  'sentAt',
  'receivedAt',
  'writeKey',
  'batch',
  'version',
]
const SEPARATORS = /[_\s-]/
const ALL_SEPARATORS = /[_\s-]/g
const byBareName = new Map(CANONICAL.map((name) => [bare(name), name]))
const isCanonical = new Set(CANONICAL)

/** `userId`, `userid`, `user_id`, `UserID` and `User ID` are one field to Segment's customers. */
function bare(name: string): string {
  const small = name.toLowerCase()
  return SEPARATORS.test(small) ? small.replaceAll(ALL_SEPARATORS, '') : small
}

/**
 * A new object with the Segment fields under their canonical names and all others as they are. Where one field comes
 * in several spellings, the canonical one wins, then the first that has a value.
 */
export function canonicalFields(raw: JsonObject): JsonObject {
  const fields: JsonObject = {}
  for (const name in raw) {
    const value = raw[name]!
    if (isCanonical.has(name)) {
      if (value !== null || fields[name] === undefined) fields[name] = value
      continue
    }
    const canonical = byBareName.get(bare(name))
    if (canonical === undefined) put(fields, name, value)
    else if (isUnset(fields[canonical])) fields[canonical] = value
  }
  return fields
}

/** Whether the object has a field of the spec, in any spelling. */
export function hasField(raw: JsonObject, canonical: string): boolean {
  if (Object.hasOwn(raw, canonical)) return true
  for (const name in raw) {
    if (name.length >= canonical.length && !isCanonical.has(name) && byBareName.get(bare(name)) === canonical)
      return true
  }
  return false
}

function isUnset(value: JsonValue | undefined): boolean {
  return value === undefined || value === null || value === ''
}
