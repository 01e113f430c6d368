import type { TSchema } from '@sinclair/typebox'
import { isScalar, type Node, type Pair, type YAMLMap } from 'yaml'
import { chosenSchema } from '../schema-choice.ts'
import { isExpression, schemaOfKey } from '../schema-steps.ts'
import { error, type Finding } from '../telling/finding.ts'
import { dotted, type Path } from '../telling/path.ts'

/** An expression in braces that YAML broke at its commas: `{ a: f(x, y) }` has the keys `a` and `y)`. */
export interface BrokenExpression {
  /** The key of its first piece. */
  readonly key: string
  /** Offset of its first piece. */
  readonly offset: number
  /** The entries of the mapping that its other pieces became. */
  readonly pieces: readonly unknown[]
}

/** Finds them by their brackets, which are not closed in the first piece, and the entries without a value behind it. */
export function brokenExpressions(mapping: YAMLMap, schema: TSchema | null): BrokenExpression[] {
  if (mapping.flow !== true || schema === null) return []
  const entries = mapping.items as Pair<Node, Node | null>[]
  return entries.flatMap(({ key, value }, index) => {
    if (!isScalar(key) || !isScalar(value) || value.type !== 'PLAIN') return []
    const name = key.source ?? String(key.value)
    if (!staysOpen(value.source ?? '') || !takesExpression(schemaOfKey(schema, name))) return []
    const rest = entries.slice(index + 1)
    const end = rest.findIndex((entry) => !isLone(entry))
    const pieces = end === -1 ? rest : rest.slice(0, end)
    return pieces.length === 0 ? [] : [{ key: name, offset: value.range?.[0] ?? 0, pieces }]
  })
}

function takesExpression(schema: TSchema | null): boolean {
  return schema !== null && isExpression(chosenSchema(schema, { kind: 'text', keys: [] }))
}

function staysOpen(text: string): boolean {
  return text.split('(').length > text.split(')').length
}

function isLone({ key, value }: Pair<Node, Node | null>): boolean {
  return isScalar(key) && (value === null || (isScalar(value) && value.source === ''))
}

/** What to tell of one. */
export function unquotedExpression(path: Path, offset: number): Finding {
  const message = `the expression of \`${dotted(path)}\` ends at its first comma`
  return error(
    'unquoted_expression',
    offset,
    message,
    'in braces, put an expression that holds a comma in quotes',
  )
}
