import type { JsonObject, JsonValue } from '../contracts/json.ts'
import { put } from './objects.ts'

/**
 * An object as its fields one after the other, each with its JSON, between control characters, which stand nowhere in
 * JSON. So a reader whose JSON is slow, the sandbox of plugins, reads those fields alone that are asked for.
 */
const FIELD = '\x1d'
const VALUE = '\x1f'
// oxlint-disable-next-line no-control-regex -- that is what they are chosen for
const MARKS = /[\x1d-\x1f]/g

/** A name loses the control characters that would be taken for marks. */
export function writeFields(object: object): string {
  let text = ''
  for (const [name, value] of Object.entries(object) as [string, JsonValue | undefined][]) {
    if (value !== undefined) text += `${FIELD}${name.replaceAll(MARKS, '')}${VALUE}${JSON.stringify(value)}`
  }
  return text + FIELD
}

/** The JSON of an object that is written as its fields. */
export function jsonOfFields(text: string): string {
  return JSON.stringify(readFields(text.slice(1, -1), {}))
}

/**
 * What `inside/calling.ts` wrote for an item of a plugin's list: the number of a message that it was given, with the fields
 * that may have changed, or a JSON text. A message that was left alone is the very object that was given.
 */
export function readReturned<Given extends JsonObject>(
  item: string,
  given: readonly Given[],
): Given | JsonValue {
  if (item.startsWith(FIELD)) return JSON.parse(item.slice(1)) as JsonValue
  const end = item.indexOf(FIELD)
  const message = given[Number(end < 0 ? item : item.slice(0, end))]
  if (message === undefined) throw new Error('reading what a plugin returned: there is no such message')
  return end < 0 ? message : readFields(item.slice(end + 1), message)
}

/** An empty text stands for a field that was removed. */
function readFields(text: string, under: JsonObject): JsonObject {
  const result = { ...under }
  for (const field of text === '' ? [] : text.split(FIELD)) {
    const at = field.indexOf(VALUE)
    const name = field.slice(0, at)
    if (at === field.length - 1) delete result[name]
    else put(result, name, JSON.parse(field.slice(at + 1)) as JsonValue)
  }
  return result
}
