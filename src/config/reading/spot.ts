import type { TSchema } from '@sinclair/typebox'
import { isMap, isScalar, isSeq, type Node } from 'yaml'
import type { Path } from '../telling/path.ts'
import { chosenSchema, choiceOf, type Look } from '../schema-choice.ts'
import { schemaOfItem, schemaOfKey } from '../schema-steps.ts'

/** A place that is about to be read. */
export interface Spot {
  readonly path: Path
  /** Null where the schema says nothing of it. */
  readonly schema: TSchema | null
  /** Whether the schema was chosen by what the value looks like. */
  readonly chosen: boolean
  readonly keyAt: number
  /** Offset of the alias that stands here; null where the value itself does. */
  readonly aliasAt: number | null
  /** Whether the value is reached through an alias, here or further up. */
  readonly copied: boolean
}

/** The whole file. */
export function rootSpot(schema: TSchema, offset: number): Spot {
  return { path: [], schema, chosen: false, keyAt: offset, aliasAt: null, copied: false }
}

/** The value of a key of the mapping at `parent`. */
export function keySpot(parent: Spot, key: string, offset: number): Spot {
  const schema = schemaOfKey(parent.schema, key)
  const path = [...parent.path, key]
  return { path, schema, chosen: false, keyAt: offset, aliasAt: null, copied: parent.copied }
}

/** An item of the list at `parent`. */
export function itemSpot(parent: Spot, index: number, offset: number): Spot {
  const schema = schemaOfItem(parent.schema)
  return {
    path: [...parent.path, String(index)],
    schema,
    chosen: false,
    keyAt: offset,
    aliasAt: null,
    copied: parent.copied,
  }
}

/** The same place, its value now read where the alias points to. */
export function aliasedSpot(spot: Spot, offset: number): Spot {
  return { ...spot, aliasAt: offset, copied: true }
}

/** The same place with the schema that holds for its value. */
export function chosenSpot(spot: Spot, node: Node | null): Spot {
  if (spot.schema === null) return spot
  const schema = chosenSchema(spot.schema, lookOf(node))
  return { ...spot, schema, chosen: spot.chosen || choiceOf(spot.schema).length > 0 }
}

function lookOf(node: Node | null): Look {
  if (isMap(node)) {
    const keys = node.items.map(({ key }) => (isScalar(key) ? String(key.source ?? key.value) : ''))
    return { kind: 'mapping', keys }
  }
  if (isSeq(node)) return { kind: 'list', keys: [] }
  const value = isScalar(node) ? node.value : null
  const kind = typeof value
  if (kind === 'number' || kind === 'boolean') return { kind, keys: [] }
  return { kind: kind === 'string' ? 'text' : 'nothing', keys: [] }
}
