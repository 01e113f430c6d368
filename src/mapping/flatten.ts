import type { JsonObject, JsonValue } from '../contracts/json.ts'
import { isObject } from '../json/objects.ts'

/**
 * Traits on one level, as Refiner keeps them: `{address: {city}}` becomes `address_city`. A list of plain values
 * becomes one text, `a, b`; any other list its JSON. A trait that is flat already wins over one that flattening would
 * give the same name. Everything else, null included, stays as it is: `0` and `false` are values, and null clears.
 */
export function flatten(traits: JsonObject): JsonObject {
  const budget = { left: MOST_NAME_CHARACTERS }
  const nested: [string, JsonValue][] = []
  const flat: [string, JsonValue][] = []
  for (const [name, value] of Object.entries(traits)) {
    if (isObject(value)) collect(name, value, nested, budget)
    else flat.push([name, plain(value)])
  }
  return Object.fromEntries([...nested, ...flat])
}

/** Each flat name repeats its whole path, so that deep traits grow: what comes to more than this is no profile. */
const MOST_NAME_CHARACTERS = 1024 * 1024

/** The traits cannot be flattened within bounds. */
export class TooManyTraits extends Error {
  override name = 'TooManyTraits'
}

function collect(
  path: string,
  value: JsonValue,
  into: [string, JsonValue][],
  budget: { left: number },
): void {
  if (isObject(value)) {
    for (const [name, inner] of Object.entries(value)) collect(`${path}_${name}`, inner, into, budget)
    return
  }
  budget.left -= path.length
  if (budget.left < 0) throw new TooManyTraits('flattening the traits: their names come to over 1 MB')
  into.push([path, plain(value)])
}

function plain(value: JsonValue): JsonValue {
  if (!Array.isArray(value)) return value
  const simple = value.every((item) => typeof item !== 'object' || item === null)
  return simple ? value.filter((item) => item !== null).join(', ') : JSON.stringify(value)
}
