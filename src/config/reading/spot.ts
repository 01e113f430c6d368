import type { TSchema } from '@sinclair/typebox'
import type { Path } from '../telling/path.ts'
import { ConfigurationFile } from '../schema.ts'
import { schemaOfItem, schemaOfKey } from '../schema-steps.ts'

/** A place that is about to be read. */
export interface Spot {
  readonly path: Path
  /** Null where the schema says nothing of it. */
  readonly schema: TSchema | null
  readonly keyAt: number
  /** Offset of the alias that stands here; null where the value itself does. */
  readonly aliasAt: number | null
  /** Whether the value is reached through an alias, here or further up. */
  readonly copied: boolean
}

/** The whole file. */
export function rootSpot(offset: number): Spot {
  return { path: [], schema: ConfigurationFile, keyAt: offset, aliasAt: null, copied: false }
}

/** The value of a key of the mapping at `parent`. */
export function keySpot(parent: Spot, key: string, offset: number): Spot {
  const schema = schemaOfKey(parent.schema, key)
  return { path: [...parent.path, key], schema, keyAt: offset, aliasAt: null, copied: parent.copied }
}

/** An item of the list at `parent`. */
export function itemSpot(parent: Spot, index: number, offset: number): Spot {
  const schema = schemaOfItem(parent.schema)
  return {
    path: [...parent.path, String(index)],
    schema,
    keyAt: offset,
    aliasAt: null,
    copied: parent.copied,
  }
}

/** The same place, its value now read where the alias points to. */
export function aliasedSpot(spot: Spot, offset: number): Spot {
  return { ...spot, aliasAt: offset, copied: true }
}
