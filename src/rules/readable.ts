import type { JsonObject, JsonValue } from '../contracts/json.ts'

/** What an expression reads: CEL knows plain objects and Maps as maps. */
export type Readable = JsonObject | ReadonlyMap<string, unknown>

/**
 * CEL tells a map from other objects by its `constructor`: an answer, attribute or trait of that name would make
 * everything beside it unreadable. Where there is one, all is given as Maps, which are maps whatever they hold.
 */
export function readableMap(values: JsonObject): Readable {
  return namesConstructor(values) ? asMap(values) : values
}

/** Whether the name is anywhere in a value. */
export function namesConstructor(value: JsonValue): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (Array.isArray(value)) return value.some(namesConstructor)
  for (const name in value) if (name === 'constructor' || namesConstructor(value[name]!)) return true
  return false
}

function asMap(values: JsonObject): ReadonlyMap<string, unknown> {
  return new Map(Object.entries(values).map(([name, value]) => [name, withMaps(value)]))
}

function withMaps(value: JsonValue): unknown {
  if (typeof value !== 'object' || value === null) return value
  return Array.isArray(value) ? value.map(withMaps) : asMap(value)
}
