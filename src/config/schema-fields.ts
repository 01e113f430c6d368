import { type ObjectOptions, type SchemaOptions, type TSchema, Type } from '@sinclair/typebox'
import type { JsonObject } from '../contracts/json.ts'
import { DEFAULTS } from './defaults.ts'
import { type Unit, UNIT_PATTERN } from './units.ts'

/**
 * The kinds of value that refiner-sync.yaml is made of. Besides what JSON Schema knows they carry annotations: `secret`
 * (never shown), `unit` (an amount, see units.ts), `bounds` (of an amount, both ends allowed), `expression` (CEL, always
 * read as text), `shown` (no secret, whatever it looks like), and `choose` and `wording` (see schema-choice.ts).
 */

export interface Bounds {
  readonly atLeast: string
  readonly atMost: string
}

/** Options of a mapping that has no other keys than those it names. */
export const closed = { additionalProperties: false }

/** A key that may be left out. */
export const optional = <T extends TSchema>(schema: T) => Type.Optional(schema)

/** A text that is not empty. */
export const text = (description: string, options: SchemaOptions = {}) =>
  Type.String({ minLength: 1, description, ...options })

/** A text that is not empty and never shown. */
export const secret = (description: string) => text(description, { secret: true })

/** One of a few words. */
export const oneOf = <const T extends readonly string[]>(
  values: T,
  description: string,
  options: SchemaOptions = {},
) =>
  Type.Unsafe<T[number]>(
    Type.Union(
      values.map((value) => Type.Literal(value)),
      { description, ...options },
    ),
  )

/** True or false. */
export const flag = (preset: boolean, description: string) => Type.Boolean({ default: preset, description })

const amount = (unit: Unit, bounds: Bounds) => (description: string, options: SchemaOptions) =>
  Type.String({ pattern: UNIT_PATTERN[unit], unit, bounds, description, ...options })

/** A time between `atLeast` and `atMost`. */
export const duration = (description: string, atLeast: string, atMost: string, preset: SchemaOptions = {}) =>
  amount('duration', { atLeast, atMost })(`${description} Such as 500ms, 10s, 5m, 2h, 30d.`, preset)

/** A number of bytes; KB and MB count in steps of 1024. */
export const size = (description: string, atMost: string, preset: SchemaOptions = {}) =>
  amount('size', { atLeast: '1B', atMost })(`${description} Such as 512KB, 4MB; 1KB is 1024 bytes.`, preset)

/** How often something may happen. */
export const rate = (description: string, preset: SchemaOptions) =>
  amount('rate', { atLeast: '1/h', atMost: '100000/s' })(`${description} Such as 10/s, 600/m.`, preset)

/** Which names are taken: included and not excluded. */
export const names = (description: string) =>
  Type.Object(
    {
      include: optional(patterns({ default: DEFAULTS.include })),
      exclude: optional(patterns({ default: [] })),
    },
    { ...closed, description },
  )

/** Names in which `*` stands for any characters. */
export const patterns = (options: SchemaOptions) =>
  Type.Array(text('A pattern; `*` stands for any characters.'), options)

/** A CEL expression. It is always read as text, for `5` and `true` are expressions, too. */
export const expression = (description: string, options: SchemaOptions = {}) =>
  text(description, { expression: true, shown: true, ...options })

/** A text that may hold `{{ expression }}`. */
export const template = (description: string, options: SchemaOptions = {}) =>
  text(description, { shown: true, ...options })

/** A mapping by names that are the user's own. */
export const byName = <T extends TSchema>(value: T, description: string, options: ObjectOptions = {}) =>
  Type.Record(Type.String({ pattern: '^' }), value, { description, ...options })

/** A mapping of which the schema says nothing. */
export const anyMapping = (description: string, options: ObjectOptions = {}) =>
  Type.Unsafe<JsonObject>(Type.Object({}, { additionalProperties: true, description, ...options }))

/** The name of an event, or null where none is sent. */
export const eventName = (description: string, preset: string | null) =>
  Type.Union([text(description), Type.Null()], { description, default: preset })

/** A call of the Segment spec. */
export const call = (description: string) => oneOf(['identify', 'group', 'track'], description)

/** Calls of the Segment spec, each at most once. */
export const calls = (description: string, options: SchemaOptions = { default: DEFAULTS.calls }) =>
  Type.Array(call('A call of the Segment spec.'), { uniqueItems: true, description, ...options })
