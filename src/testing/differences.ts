import type { JsonObject, JsonValue } from '../contracts/json.ts'
import { isObject } from '../json/objects.ts'

/** One place where a value is not what was expected. */
export interface Difference {
  /** Such as `properties.tags[0]`; empty for the value as a whole. */
  readonly path: string
  /** Undefined where nothing was expected. */
  readonly expected: JsonValue | undefined
  /** Undefined where there is nothing. */
  readonly got: JsonValue | undefined
}

/** `partial`: an object may have more names than are expected. `exact`: it may not. */
export type Strictness = 'partial' | 'exact'

/**
 * Where a value is not what was expected: texts and numbers strictly, lists in their whole length. A null asks for
 * nothing, be it null or absent.
 */
export function differences(
  expected: JsonValue,
  got: JsonValue | undefined,
  strictness: Strictness,
  path = '',
): Difference[] {
  if (expected === null) {
    return got === undefined || got === null ? [] : [{ path, expected: undefined, got }]
  }
  if (Array.isArray(expected) && Array.isArray(got) && expected.length === got.length) {
    return expected.flatMap((value, index) => differences(value, got[index], strictness, `${path}[${index}]`))
  }
  if (isObject(expected) && isObject(got)) return inObjects(expected, got, strictness, path)
  return expected === got ? [] : [{ path, expected, got }]
}

function inObjects(expected: JsonObject, got: JsonObject, strictness: Strictness, path: string) {
  const found = Object.entries(expected).flatMap(([name, value]) => {
    const there = Object.hasOwn(got, name) ? got[name] : undefined
    return differences(value, there, strictness, joined(path, name))
  })
  if (strictness === 'partial') return found
  const unexpected = Object.keys(got).filter((name) => !Object.hasOwn(expected, name))
  return [
    ...found,
    ...unexpected.map((name) => ({ path: joined(path, name), expected: undefined, got: got[name] })),
  ]
}

/** The path of a name in what the path leads to. */
export function joined(path: string, name: string): string {
  if (!/^[\p{L}_][\p{L}\p{N}_-]*$/u.test(name)) return `${path}[${JSON.stringify(name)}]`
  return path === '' ? name : `${path}.${name}`
}
