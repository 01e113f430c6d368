import type { TSchema } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { dirname, resolve } from 'node:path'
import { isAlias, isScalar } from 'yaml'
import type { Environment } from './reading/interpolate.ts'
import { readScalar, runsOn } from './reading/scalars.ts'
import type { Source } from './reading/source.ts'
import { ConfigurationFile } from './schema.ts'
import { schemaOfKey } from './schema-steps.ts'

/** One value out of a file that may be wrong elsewhere. */
export type Setting =
  | { readonly kind: 'given'; readonly value: unknown }
  | { readonly kind: 'absent' }
  /** There is something, but not of the kind that the schema asks for. */
  | { readonly kind: 'unreadable' }

/** Reads one setting alone: the rest of the file may be wrong, and its secrets need not be set. Never throws. */
export function readSetting(
  { file, text, document }: Source,
  path: readonly string[],
  environment: Environment,
): Setting {
  const node = document.getIn(path, true)
  if (node === undefined) return { kind: 'absent' }
  const scalar = isAlias(node) ? node.resolve(document) : node
  if (!isScalar(scalar)) return { kind: 'unreadable' }
  const schema = path.reduce<TSchema>((outer, key) => schemaOfKey(outer, key)!, ConfigurationFile)
  const [start, end] = scalar.range!
  const isBroken = document.errors.some(({ pos: [at] }) => at >= start && at <= end)
  if (isBroken || runsOn(scalar, text.slice(start, end))) return { kind: 'unreadable' }
  const { value, problems } = readScalar(scalar, schema, { environment, folder: dirname(resolve(file)) })
  return problems.length === 0 && Value.Check(schema, value)
    ? { kind: 'given', value }
    : { kind: 'unreadable' }
}
