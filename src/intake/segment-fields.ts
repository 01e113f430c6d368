import type { JsonObject, JsonValue } from '../contracts/json.ts'

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
const byBareName = new Map(CANONICAL.map((name) => [bare(name), name]))

/** `userId`, `userid`, `user_id`, `UserID` and `User ID` are one field to Segment's customers. */
function bare(name: string): string {
  return name.toLowerCase().replaceAll(/[_\s-]/g, '')
}

/**
 * The object with its Segment fields under their canonical names and all others as they are. Where one field comes
 * in several spellings, the canonical one wins, then the first that has a value.
 */
export function canonicalFields(raw: JsonObject): JsonObject {
  const fields = new Map<string, JsonValue>()
  for (const [name, value] of Object.entries(raw)) {
    const canonical = byBareName.get(bare(name)) ?? name
    const known = fields.get(canonical)
    if (canonical === name ? value !== null || known === undefined : isUnset(known))
      fields.set(canonical, value)
  }
  return Object.fromEntries(fields)
}

function isUnset(value: JsonValue | undefined): boolean {
  return value === undefined || value === null || value === ''
}
