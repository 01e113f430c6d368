import { type TSchema, KindGuard } from '@sinclair/typebox'
import type { Scalar } from 'yaml'
import { interpolate, isOnlyReferences, type ReferenceProblem, type ReferenceSources } from './interpolate.ts'
import type { Path } from '../telling/path.ts'
import { isExpression, isOpenLeaf, variantsOf } from '../schema-steps.ts'

export interface ReadScalar {
  readonly value: unknown
  readonly references: readonly string[]
  readonly problems: readonly ReferenceProblem[]
}

/**
 * The scalar's value with its references replaced. A text that references went into becomes a number or a boolean where
 * the schema asks for one; a text as written never does, for there the quotes can simply be removed.
 */
export function readScalar(scalar: Scalar, schema: TSchema | null, sources: ReferenceSources): ReadScalar {
  if (typeof scalar.value !== 'string') return asWritten(plainValue(scalar, schema))
  const { text, references, problems } = interpolate(scalar.value, sources)
  const value = references.length > 0 && schema !== null ? converted(text, schema) : text
  return { value, references, problems }
}

function asWritten(value: unknown): ReadScalar {
  return { value, references: [], problems: [] }
}

/** A number or boolean as the expression that it is; and where JSON stands, a number that would lose digits as text. */
function plainValue({ value, source }: Scalar, schema: TSchema | null): unknown {
  if (typeof value === 'boolean') return isExpression(schema) ? String(value) : value
  if (typeof value !== 'number') return value
  const isExact = Number.isInteger(value) ? Number.isSafeInteger(value) : Number.isFinite(value)
  const asText = isExpression(schema) || (schema === null && !isExact)
  return asText ? (source ?? String(value)) : value
}

function converted(text: string, schema: TSchema): string | number | boolean {
  const [variant] = variantsOf(schema)
  if (KindGuard.IsInteger(variant) && /^-?[0-9]{1,15}$/.test(text)) return Number(text)
  if (KindGuard.IsBoolean(variant) && (text === 'true' || text === 'false')) return text === 'true'
  return text
}

const SECRET_NAME = /key|secret|token|password/i

/** A URL with credentials or parameters, or anything that may be one. */
const TELLTALE = /@|:\/\/.*[?#]/

/** Whether the source of a value may be shown: it is the name of a reference, or the schema holds it for no secret. */
export function mayShow(raw: string, path: Path, schema: TSchema | null): boolean {
  if (schema?.['shown'] === true) return true
  if (raw.includes('\n')) return false
  if (isOnlyReferences(raw.replace(/^(["'])(.*)\1$/, '$2'))) return true
  const key = path.findLast((step) => !/^[0-9]+$/.test(step)) ?? ''
  return isOpenLeaf(schema) && !SECRET_NAME.test(key) && !TELLTALE.test(raw)
}

/** Whether a plain scalar goes on in the next line, as it does after a forgotten space or colon. */
export function runsOn(scalar: Scalar, raw: string): boolean {
  return scalar.type === 'PLAIN' && raw.includes('\n')
}
