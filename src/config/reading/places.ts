import type { TSchema } from '@sinclair/typebox'
import type { Scalar } from 'yaml'
import type { Shown } from '../telling/excerpt.ts'
import type { Finding } from '../telling/finding.ts'
import type { Path } from '../telling/path.ts'

/** One value of the file: where it stands and how it came to be. */
export interface Place {
  readonly path: Path
  /** Offset of the key, or of the item in a list. */
  readonly keyAt: number
  /** Offset of the value; of the key where nothing is written for the value. */
  readonly valueAt: number
  /** Null where the schema says nothing of it. */
  readonly schema: TSchema | null
  /** Whether the schema was chosen by what the value looks like: the schema around it says nothing of the value. */
  readonly chosen: boolean
  readonly value: unknown
  /** What the value was read from; null for mappings, lists and values that an alias stands for. */
  readonly scalar: Scalar | null
  /** The `${…}` that it was made of; empty when it is as written. */
  readonly references: readonly string[]
  /** Whether it is a text in quotes or a block, and so never a number or a boolean. */
  readonly quoted: boolean
}

/** The file as plain values, with the place of each. */
export interface Reading {
  /** Mappings have no prototype, so that a key named `constructor` is only a key. */
  readonly value: unknown
  /** By pointer. */
  readonly places: ReadonlyMap<string, Place>
  readonly findings: readonly Finding[]
  /** Pointers of values with a finding: further checks leave them and all below them alone. */
  readonly rejected: ReadonlySet<string>
  /** What excerpts may show. */
  readonly shown: readonly Shown[]
}
