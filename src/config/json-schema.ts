import { type TSchema, KindGuard } from '@sinclair/typebox'
import { ConfigurationFile } from './schema.ts'
import { choicesOf } from './schema-steps.ts'

type Json = Record<string, unknown>

/** The schema of refiner-sync.yaml for editors, JSON Schema draft 2020-12. */
export function jsonSchema(): Json {
  const { $id, ...rest } = convert(ConfigurationFile)
  return { $schema: 'https://json-schema.org/draft/2020-12/schema', $id, ...rest }
}

/** Annotations of our own, see schema-fields.ts. */
const OURS = new Set(['secret', 'unit', 'bounds', 'expression', 'shown', 'choose', 'wording'])

/** In an editor a `${…}` is right everywhere, so what is no free text takes one as well. */
const REFERENCE = '\\$\\{'

function convert(schema: TSchema): Json {
  const choices = choicesOf(schema)
  if (choices !== null) return orReference(schema, { type: 'string', enum: choices })
  // Entries leave TypeBox's symbols behind.
  const result: Json = Object.fromEntries(Object.entries(schema).filter(([key]) => !OURS.has(key)))
  const { secret, properties, patternProperties, items, anyOf, pattern, minimum, maximum, type } = schema
  if (KindGuard.IsInteger(schema)) return orReference(schema, { type, minimum, maximum })
  if (KindGuard.IsBoolean(schema)) return orReference(schema, { type })
  if (schema['expression'] === true) result['type'] = ['string', 'number', 'boolean']
  if (secret === true) result['writeOnly'] = true
  if (pattern !== undefined) result['pattern'] = `${pattern}|${REFERENCE}`
  if (properties !== undefined) result['properties'] = mapValues(properties)
  if (patternProperties !== undefined) result['patternProperties'] = mapValues(patternProperties)
  if (items !== undefined) result['items'] = convert(items)
  if (anyOf !== undefined) result['anyOf'] = anyOf.map(convert)
  return result
}

function orReference({ description, default: preset }: TSchema, plain: Json): Json {
  const annotations = preset === undefined ? { description } : { description, default: preset }
  return { ...annotations, anyOf: [plain, { type: 'string', pattern: REFERENCE }] }
}

function mapValues(schemas: Record<string, TSchema>): Json {
  return Object.fromEntries(Object.entries(schemas).map(([key, schema]) => [key, convert(schema)]))
}
