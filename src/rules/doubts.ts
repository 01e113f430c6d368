import type { ASTNode } from '@marcbachmann/cel-js'
import type { FieldSource, RuleBase, RuleProblem } from '../contracts/rules.ts'
import type { CompiledBase, CompiledFields } from './compiled-rules.ts'
import type { Expression } from './expression.ts'
import { conjunctsOf, nodesOf } from './syntax-tree.ts'

/** What is allowed in rules, though hardly meant. */

type Rules = readonly CompiledBase<RuleBase>[]

/** Conditions that never hold, and answers, which are texts, compared with numbers. */
export function doubtfulExpressions(rules: Rules): RuleProblem[] {
  return rules.flatMap((compiled, rule) => {
    const { when } = compiled
    const found = expressionsOf(compiled).flatMap(([path, expression]) =>
      besideNumber(expression).map(({ at, isEquality }): RuleProblem => ({
        code: 'text_and_number',
        severity: 'warning',
        rule,
        path,
        at,
        message: isEquality
          ? 'an answer is compared with a number, but Refiner gives numbers as texts: they are never equal'
          : 'an answer stands beside a number, but Refiner gives numbers as texts: the rule will fail',
        hint: isEquality
          ? 'write `int(answers.name) == 9`, or compare with a text, `"9"`'
          : 'write `int(answers.name) >= 9`; a `cast` changes what is sent, not what expressions see',
      })),
    )
    found.push(
      ...expressionsOf(compiled).flatMap(([path, expression]) =>
        unknownKinds(expression).map((at): RuleProblem => ({
          code: 'rule_never_matches',
          severity: 'warning',
          rule,
          path,
          at,
          message: 'this is never true: there is no interaction of that kind',
          hint: `the kinds are ${KINDS.join(', ')}`,
        })),
      ),
    )
    const never = when === null ? null : falsePart(when)
    if (never !== null) {
      found.push({
        code: 'rule_never_matches',
        severity: 'warning',
        rule,
        path: ['when'],
        at: never.start,
        message: `the rule \`${compiled.rule.name}\` never applies: a part of its condition is always false`,
        hint: null,
      })
    }
    return found
  })
}

/** Rules that stand behind one which always stops. */
export function neverReached(rules: Rules): RuleProblem[] {
  const end = rules.findIndex(({ rule }) => rule.when === null && (rule.stop || rule.skip !== null))
  if (end < 0) return []
  const last = rules[end]!.rule
  const does = last.skip === null ? 'stops' : 'skips'
  return rules.slice(end + 1).map(({ rule }, index): RuleProblem => ({
    code: 'rule_never_matches',
    severity: 'warning',
    rule: end + 1 + index,
    path: [],
    at: 0,
    message: `the rule \`${rule.name}\` never applies: \`${last.name}\` before it always ${does}`,
    hint: 'give that one a `when`, or move this one before it',
  }))
}

const PLACES = [
  ['traits', (rule: RuleBase) => rule.traits],
  ['group_traits', (rule: RuleBase) => rule.groupTraits],
  ['properties', (rule: RuleBase) => ('properties' in rule ? (rule.properties as FieldSource | null) : null)],
] as const

/** A name that two rules write, where nothing keeps both from applying. */
export function writtenTwice(rules: Rules): RuleProblem[] {
  const problems: RuleProblem[] = []
  for (const [place, sourceOf] of PLACES) {
    const seen = new Map<string, RuleBase>()
    for (const [index, { rule }] of rules.entries()) {
      const source = sourceOf(rule)
      for (const [name] of source?.kind === 'fields' ? source.fields : []) {
        const before = seen.get(name)
        if (before !== undefined && !exclusive(before, rule)) {
          problems.push({
            code: 'written_twice',
            severity: 'warning',
            rule: index,
            path: [place, name],
            at: 0,
            message: `\`${name}\` is written by the rule \`${before.name}\` as well; where both apply, this one counts`,
            hint: 'give the two different conditions, or remove one',
          })
        }
        seen.set(name, rule)
      }
    }
  }
  return problems
}

/** Two conditions that differ may well exclude each other: only the same one, or none, makes a doubt. */
function exclusive(a: RuleBase, b: RuleBase): boolean {
  return a.stop || (a.when !== b.when && a.when !== null && b.when !== null)
}

const KINDS: readonly string[] = ['completed', 'seen', 'dismissed', 'segment_entered', 'tag_added']

/** Where `interaction.kind` is compared with a text that is no kind. */
function unknownKinds({ tree }: Expression): number[] {
  return [...nodesOf(tree)].flatMap((node) => {
    if (node.op !== '==') return []
    const [left, right] = node.args
    const isKind = left.op === '.' && left.args[1] === 'kind' && left.args[0].op === 'id'
    const isOfInteraction = isKind && left.args[0].args === 'interaction'
    const isText = right.op === 'value' && typeof right.args === 'string'
    return isOfInteraction && isText && !KINDS.includes(right.args) ? [right.start] : []
  })
}

const EQUALITIES = new Set(['==', '!='])
const OPERATORS = new Set([...EQUALITIES, '<', '<=', '>', '>=', '+', '-', '*', '/', '%'])

/** Where an answer is compared or calculated with a number as it is. */
export function besideNumber({ tree }: Expression): { at: number; isEquality: boolean }[] {
  return [...nodesOf(tree)].flatMap((node) => {
    if (!OPERATORS.has(node.op)) return []
    const [left, right] = node.args as [ASTNode, ASTNode]
    const isDoubtful = (isAnswer(left) && isNumber(right)) || (isNumber(left) && isAnswer(right))
    return isDoubtful ? [{ at: node.start, isEquality: EQUALITIES.has(node.op) }] : []
  })
}

function isAnswer(node: ASTNode): boolean {
  if (node.op !== '.' && node.op !== '[]') return false
  const [owner] = node.args
  return owner.op === 'id' && owner.args === 'answers'
}

function isNumber(node: ASTNode): boolean {
  return node.op === 'value' && (typeof node.args === 'bigint' || typeof node.args === 'number')
}

/** A part of the condition that has no variables in it and is false. */
export function falsePart(condition: Expression): ASTNode | null {
  const { tree } = condition
  const parts = conjunctsOf(tree)
  const constant = parts.find((part) => part.op === 'value' && part.args === false)
  if (constant !== undefined) return constant
  const hasVariables = [...nodesOf(tree)].some((node) => node.op === 'id')
  if (hasVariables) return null
  try {
    return condition.evaluate({}) === false ? tree : null
  } catch {
    return null
  }
}

type At = readonly [path: readonly string[], expression: Expression]

function expressionsOf(compiled: CompiledBase<RuleBase>): At[] {
  const found: At[] = compiled.when === null ? [] : [[['when'], compiled.when]]
  const add = (place: string, source: CompiledFields | null | undefined) => {
    if (source?.kind === 'map') found.push([[place], source.map])
    for (const { name, value } of source?.kind === 'fields' ? source.fields : []) {
      found.push([[place, name], value])
    }
  }
  add('traits', compiled.traits)
  add('group_traits', compiled.groupTraits)
  if ('properties' in compiled) add('properties', compiled.properties as CompiledFields | null)
  return found
}
