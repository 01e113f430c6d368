import { type TSchema, KindGuard } from '@sinclair/typebox'
import { choicesOf, variantsOf } from '../schema-steps.ts'
import type { Unit } from '../units.ts'

/** What a value is, in words. Its content is left out: it may be a secret. */
export function foundKind(value: unknown): string {
  if (value === null) return 'nothing'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'a mapping'
  return typeof value === 'string' ? 'a text' : `a ${typeof value}`
}

/** What a schema asks for, in words that complete "must be …". */
export function expectedKind(schema: TSchema): string {
  const choices = choicesOf(schema)
  if (choices !== null) return `one of ${choices.join(', ')}`
  const [variant, ...others] = variantsOf(schema)
  if (variant === undefined || others.length > 0)
    throw new Error('wording a schema: a union of several kinds')
  return plainKind(variant) + (KindGuard.IsUnion(schema) ? ' or null' : '')
}

function plainKind(schema: TSchema): string {
  if (schema['wording'] !== undefined) return schema['wording']
  if (schema['expression'] === true) return 'a CEL expression'
  if (KindGuard.IsRecord(schema)) return 'a mapping with an entry for each name'
  if (KindGuard.IsObject(schema)) return 'a mapping'
  if (KindGuard.IsArray(schema)) return 'a list'
  if (KindGuard.IsBoolean(schema)) return 'true or false'
  if (KindGuard.IsInteger(schema)) return `a whole number from ${schema.minimum} to ${schema.maximum}`
  const unit: Unit | undefined = schema['unit']
  if (unit !== undefined) return `a ${unit} such as ${EXAMPLES[unit]}`
  return schema['pattern'] === undefined ? 'a text' : 'a text such as `sqlite://./data/refiner-sync.db`'
}

const EXAMPLES: Readonly<Record<Unit, string>> = {
  duration: '500ms, 10s, 5m, 2h or 30d',
  size: '512KB or 4MB',
  rate: '10/s or 600/m',
}
