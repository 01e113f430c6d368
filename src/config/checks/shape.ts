import { type TSchema, KindGuard } from '@sinclair/typebox'
import { Value, type ValueError, ValueErrorType } from '@sinclair/typebox/value'
import { error, type Finding } from '../telling/finding.ts'
import type { MistakeCode } from '../mistake.ts'
import { dotted } from '../telling/path.ts'
import type { Place, Reading } from '../reading/places.ts'
import { choiceOf } from '../schema-choice.ts'
import { choicesOf, variantsOf } from '../schema-steps.ts'
import { hintFor, isEmpty } from './shape-hints.ts'
import { expectedKind, foundKind } from '../telling/wording.ts'

export interface Shape {
  readonly findings: readonly Finding[]
  /** The reading's rejected pointers and those found here. */
  readonly rejected: ReadonlySet<string>
}

/** Checks the values against the schema: one finding for each wrong value and each missing key. */
export function checkShape(reading: Reading, schema: TSchema): Shape {
  const rejected = new Set(reading.rejected)
  const findings: Finding[] = []
  for (const found of errorsOf(reading, schema)) {
    // TypeBox stops at the first wrong name of a record, so read-places.ts has already found them all.
    if (found.type === ValueErrorType.ObjectAdditionalProperties || isRejected(found.path, rejected)) continue
    const pointer = found.type === ValueErrorType.ArrayUniqueItems ? repeatedItem(found) : found.path
    if (isRejected(pointer, rejected)) continue
    rejected.add(pointer)
    findings.push(explain(found, pointer, reading))
  }
  for (const [pointer, place] of reading.places) {
    const isUnfit = place.chosen && place.schema !== null && choiceOf(place.schema).length > 0
    if (!isUnfit || isRejected(pointer, rejected)) continue
    rejected.add(pointer)
    findings.push(wrongValue(place))
  }
  return { findings, rejected }
}

/** The errors of the whole, and those inside of values whose schema was chosen, of which the whole says nothing. */
function* errorsOf({ value, places }: Reading, schema: TSchema): Generator<ValueError> {
  yield* Value.Errors(schema, value)
  for (const [pointer, place] of places) {
    if (!place.chosen || place.schema === null) continue
    for (const found of Value.Errors(place.schema, place.value))
      yield { ...found, path: pointer + found.path }
  }
}

/** Whether the pointer or one above it is rejected. */
export function isRejected(pointer: string, rejected: ReadonlySet<string>): boolean {
  if (rejected.size === 0) return false
  for (let end = pointer.length; end >= 0; end = pointer.lastIndexOf('/', end - 1)) {
    if (rejected.has(pointer.slice(0, end))) return true
    if (end === 0) return false
  }
  return false
}

function explain(found: ValueError, pointer: string, { places }: Reading): Finding {
  const place = places.get(pointer)
  if (place === undefined) return missingKey(found, places)
  if (found.type !== ValueErrorType.ArrayUniqueItems) return wrongValue(place)
  return error(
    'duplicate_item',
    place.valueAt,
    `\`${dotted(place.path)}\` was listed before`,
    'remove one of the two',
  )
}

function missingKey(found: ValueError, places: Reading['places']): Finding {
  const slash = found.path.lastIndexOf('/')
  const parent = places.get(found.path.slice(0, slash))!
  const missing = found.path.slice(slash + 1)
  const hint = `add \`${missing}:\`; it must be ${expectedKind(found.schema)}`
  return error('missing_key', parent.keyAt, `\`${dotted([...parent.path, missing])}\` is missing`, hint)
}

function wrongValue(place: Place): Finding {
  const name = `\`${dotted(place.path)}\``
  const expected = expectedKind(place.schema!)
  const hint = hintFor(place)
  if (isEmpty(place.value)) {
    return error('empty_value', place.valueAt, `${name} is empty; it must be ${expected}`, hint)
  }
  const code = codeOf(place.schema!, place.value)
  const not = code === 'wrong_type' || code === 'unquoted_secret' ? `, not ${foundKind(place.value)}` : ''
  return error(code, place.valueAt, `${name} must be ${expected}${not}`, hint)
}

function codeOf(schema: TSchema, value: unknown): MistakeCode {
  if (typeof value === 'object') return 'wrong_type'
  const [variant] = variantsOf(schema)
  if (variant!['secret'] === true) return 'unquoted_secret'
  if (choicesOf(schema) !== null) return 'not_one_of'
  if (KindGuard.IsInteger(variant)) return typeof value === 'number' ? 'out_of_range' : 'wrong_type'
  if (variant!['unit'] !== undefined) return BAD_UNIT[variant!['unit'] as keyof typeof BAD_UNIT]
  return typeof value === 'string' && KindGuard.IsString(variant) ? 'bad_database' : 'wrong_type'
}

const BAD_UNIT = { duration: 'bad_duration', size: 'bad_size', rate: 'bad_rate' } as const

/** The pointer of the second of two equal items. */
function repeatedItem({ path, value }: ValueError): string {
  const items = value as readonly unknown[]
  return `${path}/${items.findIndex((item, index) => items.indexOf(item) < index)}`
}
