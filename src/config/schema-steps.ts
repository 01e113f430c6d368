import { type TSchema, KindGuard } from '@sinclair/typebox'
import { ConfigurationFile } from './schema.ts'
import { choiceOf } from './schema-choice.ts'

/** Moves through the schema beside a walk through the file. */

/** The schema of a key's value; null where the schema says nothing of it. */
export function schemaOfKey(parent: TSchema | null, key: string): TSchema | null {
  if (parent === null) return null
  if (KindGuard.IsObject(parent))
    return Object.hasOwn(parent.properties, key) ? parent.properties[key]! : null
  if (!KindGuard.IsRecord(parent)) return null
  const match = Object.entries(parent.patternProperties).find(([pattern]) => new RegExp(pattern).test(key))
  return match?.[1] ?? null
}

/** The schema of a list's items; null where the schema says nothing of them. */
export function schemaOfItem(parent: TSchema | null): TSchema | null {
  return parent !== null && KindGuard.IsArray(parent) ? parent.items : null
}

/** Whether a mapping is expected, with keys that the schema names or whose form it fixes. */
export function isKeyed(schema: TSchema | null): schema is TSchema {
  return schema !== null && (KindGuard.IsObject(schema) || KindGuard.IsRecord(schema))
}

/** Whether keys that the schema does not know are mistakes. */
export function isClosed(schema: TSchema): boolean {
  return schema['additionalProperties'] === false
}

/** The keys that the schema names; none for a mapping by free names. */
export function keysOf(schema: TSchema): readonly string[] {
  return KindGuard.IsObject(schema) ? Object.keys(schema.properties) : []
}

/** The variants of a union, without null; the schema itself when it is none. */
export function variantsOf(schema: TSchema): readonly TSchema[] {
  if (!KindGuard.IsUnion(schema)) return [schema]
  return schema.anyOf.filter((variant) => !KindGuard.IsNull(variant))
}

/** The words of a choice; null when the schema is no choice. */
export function choicesOf(schema: TSchema): readonly string[] | null {
  const variants = variantsOf(schema)
  return variants.every(KindGuard.IsLiteralString) ? variants.map(({ const: word }) => word) : null
}

/** Whether a CEL expression is expected. */
export function isExpression(schema: TSchema | null): boolean {
  return schema?.['expression'] === true
}

/** Whether a single value is expected, whose text may be shown as far as the schema is concerned. */
export function isOpenLeaf(schema: TSchema | null): schema is TSchema {
  return (
    schema !== null &&
    variantsOf(schema).every(
      (variant) =>
        variant['secret'] !== true &&
        (KindGuard.IsString(variant) ||
          KindGuard.IsInteger(variant) ||
          KindGuard.IsBoolean(variant) ||
          KindGuard.IsLiteral(variant)),
    )
  )
}

/** Each key that the schema names anywhere, with the places where it belongs, such as tenants.<name>.segment. */
export const KEY_PLACES: ReadonlyMap<string, readonly string[]> = collectKeys(
  ConfigurationFile,
  '',
  new Map(),
)

function collectKeys(schema: TSchema, place: string, found: Map<string, string[]>): Map<string, string[]> {
  for (const variant of choiceOf(schema)) collectKeys(variant, place, found)
  if (KindGuard.IsArray(schema)) collectKeys(schema.items, `${place}[]`, found)
  if (KindGuard.IsRecord(schema)) {
    for (const named of Object.values(schema.patternProperties)) collectKeys(named, `${place}.<name>`, found)
  }
  for (const key of keysOf(schema)) {
    if (!found.get(key)?.includes(place)) found.set(key, [...(found.get(key) ?? []), place])
    collectKeys(schema['properties'][key], place === '' ? key : `${place}.${key}`, found)
  }
  return found
}
