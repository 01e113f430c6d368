import { type TSchema, TypeGuard } from '@sinclair/typebox'
import { ConfigurationFile } from './schema.ts'
import { choicesOf } from './schema-steps.ts'

type Json = Record<string, unknown>

/** The schema of refiner-sync.yaml for editors, JSON Schema draft 2020-12. */
export function jsonSchema(): Json {
  const { $id, ...rest } = convert(ConfigurationFile)
  return { $schema: 'https://json-schema.org/draft/2020-12/schema', $id, ...rest }
}

/** In an editor a `${…}` is right everywhere, so what is no free text takes one as well. */
const REFERENCE = '\\$\\{'

function convert(schema: TSchema): Json {
  const { secret, unit, bounds, properties, patternProperties, items, anyOf, pattern, ...rest } = schema
  const result: Json = { ...rest }
  if (secret === true) result['writeOnly'] = true
  if (pattern !== undefined) result['pattern'] = `${pattern}|${REFERENCE}`
  if (properties !== undefined) result['properties'] = mapValues(properties)
  if (patternProperties !== undefined) result['patternProperties'] = mapValues(patternProperties)
  if (items !== undefined) result['items'] = convert(items)
  const choices = choicesOf(schema)
  if (choices !== null) return orReference({ ...rest, type: 'string', enum: choices })
  if (anyOf !== undefined) result['anyOf'] = anyOf.map(convert)
  return TypeGuard.IsInteger(schema) || TypeGuard.IsBoolean(schema) ? orReference(result) : result
}

function orReference({ description, default: preset, ...rest }: Json): Json {
  const annotations = preset === undefined ? { description } : { description, default: preset }
  return { ...annotations, anyOf: [rest, { type: 'string', pattern: REFERENCE }] }
}

function mapValues(schemas: Record<string, TSchema>): Json {
  return Object.fromEntries(Object.entries(schemas).map(([key, schema]) => [key, convert(schema)]))
}
