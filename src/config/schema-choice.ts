import { type SchemaOptions, type TSchema, Type, KindGuard } from '@sinclair/typebox'
import type { JsonObject } from '../contracts/json.ts'
import { anyMapping, byName, closed, expression, patterns, text } from './schema-fields.ts'

/**
 * Values that may be of several kinds. Which schema holds is chosen by what a value looks like before it is read, so
 * that a mistake inside it is told as precisely as elsewhere.
 */

/** What can be seen of a value before it is read. */
export interface Look {
  readonly kind: 'mapping' | 'list' | 'text' | 'number' | 'boolean' | 'nothing'
  /** Of a mapping. */
  readonly keys: readonly string[]
}

/** The schema that holds for a value; null when none does. */
type Choose = (look: Look) => TSchema | null

interface Choice extends SchemaOptions {
  /** Completes "must be …". */
  readonly wording: string
}

/** A value that one of several schemas describes. Editors see all of them. */
function choice<T>(variants: readonly TSchema[], choose: Choose, options: Choice) {
  return Type.Unsafe<T>(Type.Unknown({ anyOf: variants, choose, ...options }))
}

/** The schema that a choice makes, which is the schema itself where it is none or nothing fits. */
export function chosenSchema(schema: TSchema, look: Look): TSchema {
  return isChoice(schema) ? ((schema['choose'] as Choose)(look) ?? schema) : schema
}

/** The schemas that a choice is between; none where the schema is no choice. */
export function choiceOf(schema: TSchema): readonly TSchema[] {
  return isChoice(schema) ? schema['anyOf'] : []
}

function isChoice(schema: TSchema): boolean {
  return KindGuard.IsUnknown(schema) && typeof schema['choose'] === 'function'
}

const SCALARS: ReadonlySet<Look['kind']> = new Set(['text', 'number', 'boolean'])

/** Names with an expression each, or one expression that gives a map. */
export function fieldSource(description: string, example: Record<string, string>) {
  const fields = byName(expression('A CEL expression.'), description)
  const map = expression('A CEL expression that gives a map.')
  return choice<Record<string, string> | string>(
    [fields, map],
    ({ kind }) => {
      if (kind === 'mapping') return fields
      return SCALARS.has(kind) ? map : null
    },
    {
      wording: 'a mapping of names to CEL expressions, or one expression that gives a map',
      description: `${description} Names with a CEL expression each, or one expression that gives a map.`,
      examples: [example],
    },
  )
}

const NpsList = patterns({ description: 'Patterns of the answers that are NPS scores.' })
const NpsFlag = Type.Boolean({ description: 'True stands for nps, nps_* and *_nps.' })

/** Which answers are NPS scores. */
export const NpsPatterns = choice<readonly string[] | boolean>(
  [NpsFlag, NpsList],
  ({ kind }) => {
    if (kind === 'boolean') return NpsFlag
    return kind === 'list' ? NpsList : null
  },
  {
    wording: 'true, false or a list of patterns',
    description: 'The answers that are NPS scores: they give nps_score and nps_category, too.',
    default: false,
    examples: [true, ['nps', 'nps_*']],
  },
)

/** A part of the reason that is asked for, or true for any. */
export function reason(description: string) {
  const part = text('A part of the reason.')
  const any = Type.Boolean({ description: 'True for any reason.' })
  return choice<string | boolean>(
    [part, any],
    ({ kind }) => {
      if (kind === 'boolean') return any
      return kind === 'text' ? part : null
    },
    { wording: 'a part of the reason, or true for any', description, examples: [true] },
  )
}

const InputFile = Type.Object(
  { file: text('A JSON file, relative to this file.', { examples: ['config/samples/nps.json'] }) },
  { ...closed, description: 'The input stands in a file.' },
)
const InputBody = Type.Object(
  { body: anyMapping('The input.') },
  { ...closed, description: 'The input stands here.' },
)
const InputItself = anyMapping('The input itself.')

/** A webhook body of Refiner or a message of Segment. */
export const TestInput = choice<{ readonly file: string } | { readonly body: JsonObject } | JsonObject>(
  [InputFile, InputBody, InputItself],
  ({ kind, keys }) => {
    if (kind !== 'mapping' || keys.length === 0) return null
    if (keys.length > 1) return InputItself
    return keys[0] === 'body' ? InputBody : keys[0] === 'file' ? InputFile : InputItself
  },
  {
    wording: '`{ file: PATH }`, or a webhook body of Refiner or a message of Segment',
    description: 'A webhook body of Refiner or a message of Segment, or the file that holds it.',
    examples: [{ file: 'config/samples/nps.json' }],
  },
)
