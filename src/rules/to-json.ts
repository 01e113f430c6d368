import { Optional } from '@marcbachmann/cel-js'
import { Duration, UnsignedInt } from '@marcbachmann/cel-js/evaluator'
import type { JsonValue } from '../contracts/json.ts'

/**
 * A value of CEL as JSON: whole numbers beyond what JSON's readers hold exactly become text, moments ISO 8601, bytes
 * base64, `answers.?x` what it holds, and what JSON has no word for null.
 */
export function toJson(value: unknown): JsonValue {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value
    case 'number':
      return Number.isFinite(value) ? value : null
    case 'bigint':
      return exactly(value)
    case 'object':
      return value === null ? null : objectToJson(value)
    case 'undefined':
    case 'function':
    case 'symbol':
      return null
  }
}

function objectToJson(value: object): JsonValue {
  if (Array.isArray(value)) return value.map(toJson)
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString()
  if (value instanceof UnsignedInt) return exactly(value.valueOf())
  if (value instanceof Duration) return value.toString()
  if (value instanceof Optional) return toJson(value.orValue(null))
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  const entries: Iterable<[unknown, unknown]> = value instanceof Map ? value : Object.entries(value)
  return Object.fromEntries(Array.from(entries, ([name, inner]) => [String(name), toJson(inner)]))
}

function exactly(value: bigint): number | string {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : String(value)
}
