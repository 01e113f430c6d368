import type { ASTNode, Environment, ParseResult } from '@marcbachmann/cel-js'
import type { ExpressionUse } from '../contracts/rules.ts'
import { environmentOf } from './environments.ts'
import { problemOf, type TextProblem } from './expression-problems.ts'
import { isCelError } from './failures.ts'
import { LINEAR_MATCHES, patternFault } from './linear-matches.ts'
import { isDeeperThan, nodesOf } from './syntax-tree.ts'

/** A CEL expression, checked and ready to be evaluated. */
export interface Expression {
  readonly text: string
  readonly tree: ASTNode
  /** Throws when it fails; `failureText` says why in words. */
  evaluate(variables: object): unknown
}

/** What an expression is needed for decides which types it may have. */
export type Wanted = 'condition' | 'value' | 'text' | 'map' | 'moment'

export type Compiled<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: TextProblem }

/** Parses an expression and checks the names and types in it, without anything to evaluate it on. */
export function compileExpression(use: ExpressionUse, text: string, wanted: Wanted): Compiled<Expression> {
  const environment = environmentOf(use)
  if (text.trim() === '') {
    const hint = 'write a CEL expression; a text needs quotes of its own: `\'"text"\'`'
    return refused({ code: 'expression_syntax', at: 0, message: 'the expression is empty', hint })
  }
  try {
    const parsed = parseLinear(environment, text)
    if (isDeeperThan(parsed.ast, DEEPEST)) return refused(TOO_LONG)
    const fault = literalPatternFault(parsed.ast) ?? lostKeyFault(parsed.ast)
    if (fault !== null) return refused(fault)
    const checked = parsed.check()
    // The library catches what it throws itself there, too.
    if (!checked.valid) throw checked.error ?? new Error('an expression is refused for no reason')
    const type = checked.type ?? 'dyn'
    const wrong = wrongType(type, wanted)
    if (wrong !== null) return refused({ code: 'expression_type', at: 0, ...wrong })
    return { ok: true, value: { text, tree: parsed.ast, evaluate: (variables) => parsed(variables) } }
  } catch (error) {
    if (error instanceof RangeError) return refused(TOO_LONG)
    if (!isCelError(error)) throw error
    return refused(problemOf(error, text, use))
  }
}

/**
 * CEL bounds the depth of brackets, but not the length of `a + b + …`, which is as deep as it is long. This is far from
 * where the stack ends, so that what is accepted by `check` can be evaluated anywhere.
 */
const DEEPEST = 2000

const TOO_LONG: TextProblem = {
  code: 'expression_syntax',
  at: 0,
  message: 'the expression is too long',
  hint: 'make several rules of it, or a plugin',
}

/** Parses the text with `matches` replaced by the linear one, sign for sign, so that every position stays. */
function parseLinear(environment: Environment, text: string): ParseResult {
  const parsed = environment.parse(text)
  let linear = text
  for (const node of nodesOf(parsed.ast)) {
    if (node.op !== 'rcall' || node.args[0] !== 'matches') continue
    const at = text.indexOf('matches', node.args[1].end)
    linear = linear.slice(0, at) + LINEAR_MATCHES + linear.slice(at + LINEAR_MATCHES.length)
  }
  return linear === text ? parsed : environment.parse(linear)
}

function literalPatternFault(tree: ASTNode): TextProblem | null {
  for (const node of nodesOf(tree)) {
    if (node.op !== 'rcall' || node.args[0] !== LINEAR_MATCHES) continue
    const pattern = node.args[2][0]
    if (pattern?.op !== 'value' || typeof pattern.args !== 'string') continue
    const fault = patternFault(pattern.args)
    if (fault !== null) {
      const message = `a bad regular expression: ${fault}`
      const hint = 'the syntax is that of RE2: no look-ahead, no back-references'
      return { code: 'bad_regular_expression', at: pattern.start, message, hint }
    }
  }
  return null
}

/** Names that CEL leaves out of a map without a word, for they mean something else in JavaScript. */
const LOST_KEYS: ReadonlySet<unknown> = new Set(['__proto__', 'constructor', 'prototype'])

function lostKeyFault(tree: ASTNode): TextProblem | null {
  for (const node of nodesOf(tree)) {
    if (node.op !== 'map') continue
    const lost = node.args.map(([key]) => key).find((key) => key.op === 'value' && LOST_KEYS.has(key.args))
    if (lost === undefined) continue
    const message = `a map made in an expression cannot have the name ${JSON.stringify(lost.args)}`
    const hint =
      'write names with an expression each, `{ name: expression }`, instead of one that gives a map'
    return { code: 'expression_type', at: lost.start, message, hint }
  }
  return null
}

/** What is wrong with a type for its purpose; null when nothing is. `dyn` is looked at when there is a value. */
function wrongType(type: string, wanted: Wanted): { message: string; hint: string | null } | null {
  if (type === 'dyn') return null
  switch (wanted) {
    case 'condition':
      if (type === 'bool') return null
      return {
        message: `a condition must be true or false; this is ${article(type)}`,
        hint: type === 'string' ? 'compare it with something, such as `!= ""`' : 'compare it with something',
      }
    case 'map':
      if (type.startsWith('map')) return null
      return {
        message: `a whole map is needed here; this is ${article(type)}`,
        hint: 'write names with an expression each, `{ name: expression }`, or an expression such as `answers`',
      }
    case 'moment':
      if (type === 'string' || type.endsWith('Timestamp')) return null
      return { message: `a moment is needed here; this is ${article(type)}`, hint: null }
    case 'text':
    case 'value':
      if (type !== 'type') return null
      return { message: 'a type is no value', hint: null }
  }
}

function article(type: string): string {
  const name = type.replace(/^google\.protobuf\./, '').toLowerCase()
  return /^[aeiou]/.test(name) ? `an ${name}` : `a ${name}`
}

function refused(problem: TextProblem): { ok: false; problem: TextProblem } {
  return { ok: false, problem }
}
