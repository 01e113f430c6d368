import type { JsonObject, JsonValue } from '../contracts/json.ts'

/**
 * Sets a name of an object that is built name by name; several times as fast as Object.fromEntries. A plain assignment
 * to `__proto__` would change what the object inherits, and lose the value.
 */
export function put(target: JsonObject, name: string, value: JsonValue): void {
  if (name === '__proto__') {
    Object.defineProperty(target, name, { value, writable: true, enumerable: true, configurable: true })
  } else {
    target[name] = value
  }
}

/** A copy without the names whose value is null. */
export function withoutNulls(values: JsonObject): JsonObject {
  const result: JsonObject = {}
  for (const name in values) {
    const value = values[name]!
    if (value !== null) put(result, name, value)
  }
  return result
}

/** Whether a value is an object, and no list. */
export function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
