import type { JsonObject, JsonValue } from '../contracts/interaction.ts'

/**
 * Traits on one level, as Refiner keeps them: `{address: {city}}` becomes `address_city`. A list of plain values
 * becomes one text, `a, b`; any other list its JSON. A trait that is flat already wins over one that flattening would
 * give the same name. Everything else, null included, stays as it is: `0` and `false` are values, and null clears.
 */
export function flatten(traits: JsonObject): JsonObject {
  const nested: [string, JsonValue][] = []
  const flat: [string, JsonValue][] = []
  for (const [name, value] of Object.entries(traits)) {
    if (isObject(value)) collect(name, value, nested)
    else flat.push([name, plain(value)])
  }
  return Object.fromEntries([...nested, ...flat])
}

function collect(path: string, value: JsonValue, into: [string, JsonValue][]): void {
  if (!isObject(value)) into.push([path, plain(value)])
  else for (const [name, inner] of Object.entries(value)) collect(`${path}_${name}`, inner, into)
}

function plain(value: JsonValue): JsonValue {
  if (!Array.isArray(value)) return value
  const simple = value.every((item) => typeof item !== 'object' || item === null)
  return simple ? value.filter((item) => item !== null).join(', ') : JSON.stringify(value)
}

function isObject(value: JsonValue): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
