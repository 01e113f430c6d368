import { resolve } from 'node:path'
import type { JsonObject, JsonValue } from '../contracts/json.ts'
import type { MappingTest } from '../contracts/mapping-test.ts'
import type { Sheet } from './checks/sheet.ts'
import type { TestList } from './schema-tests.ts'

/** The tests of a file without mistakes. */
export function resolveTests(sheet: Sheet, tests: TestList): MappingTest[] {
  return tests.map((test, index) => ({
    name: test.name,
    place: sheet.where(sheet.nearestKey('tests', String(index))),
    tenant: test.tenant ?? null,
    input: resolveInput(sheet, index),
    expect: test.expect === undefined ? null : test.expect.map(plainObject),
    exact: test.exact ?? false,
    expectSkip: partOf(test.expect_skip),
    expectError: partOf(test.expect_error),
  }))
}

/** The schema chose by the keys what kind of input it is, see schema-choice.ts. */
function resolveInput(sheet: Sheet, index: number): MappingTest['input'] {
  const path = ['tests', String(index), 'input']
  const keys = sheet.keys(...path)
  const place = sheet.place(...path)!
  const only = keys.length === 1 ? sheet.place(...path, keys[0]!) : null
  if (keys[0] === 'file' && only !== null) {
    return { kind: 'file', path: resolve(sheet.folder, String(only.value)) }
  }
  const body = keys[0] === 'body' && only !== null ? only.value : place.value
  return { kind: 'inline', body: plainObject(body as JsonObject) }
}

/** True asks for any reason, of which every one holds the empty text. */
function partOf(reason: string | boolean | undefined): string | null {
  if (reason === true) return ''
  return reason === undefined || reason === false ? null : reason
}

/** JSON as others make it; what is read from the file has no prototypes. */
export function plainObject(value: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]))
}

function plain(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(plain)
  return typeof value === 'object' && value !== null ? plainObject(value) : value
}
