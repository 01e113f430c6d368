import type { RuleBase, RuleDirection, RuleProblem } from '../../contracts/rules.ts'
import { checkRules } from '../../rules/check-rules.ts'
import type { MistakeCode } from '../mistake.ts'
import type { Place } from '../reading/places.ts'
import { offsetInScalar } from '../reading/scalar-text.ts'
import { eventRules, interactionRules, nameOfRule, type ReadRule } from '../resolve-rules.ts'
import { error, type Finding, warning } from '../telling/finding.ts'
import { dotted, type Path } from '../telling/path.ts'
import { checkEmits } from './emits.ts'
import { checkRenames } from './renames.ts'
import { named, type Sheet } from './sheet.ts'

/** A list of rules in a file. */
export interface RuleList {
  readonly sheet: Sheet
  readonly path: Path
  readonly direction: RuleDirection
  /** The names of the rules that come before those of this list, and so count with them. */
  readonly before: readonly string[]
}

/** What is wrong with the rules of one list: their expressions, their names, and what they do. */
export function checkRuleList(list: RuleList): Finding[] {
  return [
    ...checkExpressions(list),
    ...checkNames(list),
    ...checkActions(list),
    ...checkEmits(list),
    ...checkRenames(list),
  ]
}

/** The names of the rules of a list, those without one by their number. */
export function ruleNames(list: RuleList): string[] {
  return namedRules(list).map(({ name }) => name)
}

function checkExpressions(list: RuleList): Finding[] {
  const { sheet, path, direction, before } = list
  // What is doubtful about rules that are not whole may only come from what is missing.
  const isWhole = sheet.isClean(...path)
  const tell = (read: readonly ReadRule<unknown>[], problems: readonly RuleProblem[]) =>
    problems
      .filter(({ severity }) => severity === 'error' || isWhole)
      .map((problem) => toFinding(sheet, [...path, String(read[problem.rule]!.index)], problem))
  if (direction === 'to_segment') {
    const read = interactionRules(sheet, path, before.length)
    return tell(read, checkRules({ direction, rules: rulesOf(list, read) }))
  }
  const read = eventRules(sheet, path, before.length)
  return tell(read, checkRules({ direction, rules: rulesOf(list, read) }))
}

/** The rules as messages may speak of them: a name that a `${…}` stood for is not told. */
function rulesOf<Rule extends RuleBase>(
  { sheet, path, before }: RuleList,
  read: readonly ReadRule<Rule>[],
): Rule[] {
  return read.map(({ index, rule }) => {
    const references = sheet.place(...path, String(index), 'name')?.references ?? []
    return references.length === 0
      ? rule
      : { ...rule, name: nameOfRule(undefined, before.length + index + 1) }
  })
}

/** A problem at the sign where it is; where references went into the text, nothing of what they stood for is told. */
function toFinding(sheet: Sheet, rule: Path, { path, ...problem }: RuleProblem): Finding {
  const where = path.length === 0 ? '' : `\`${dotted(path)}\`: `
  return expressionFinding(sheet, [...rule, ...path], where, problem)
}

/** The same of an expression at that path; `where` is put before what is said of it. */
export function expressionFinding(
  sheet: Sheet,
  path: Path,
  where: string,
  { code, severity, at, message, hint }: Omit<RuleProblem, 'rule' | 'path'>,
): Finding {
  const place = sheet.place(...path)
  const make = severity === 'error' ? error : warning
  if (place === null) return make(code, sheet.nearestKey(...path), message, hint)
  if (place.references.length > 0 && !OF_KEYS_ALONE.has(code)) {
    return make(
      code,
      place.valueAt,
      `${where}this is wrong once ${place.references.join(' and ')} is replaced`,
    )
  }
  const offset =
    place.scalar === null ? null : offsetInScalar(sheet.source.text, place.scalar, String(place.value), at)
  const told = isCutShort(sheet, place, code) ? CUT_SHORT : hint
  return make(code, offset ?? place.valueAt, where + message, told)
}

/** What is said of these holds nothing of the expression, but keys and names of rules. */
const OF_KEYS_ALONE: ReadonlySet<MistakeCode> = new Set([
  'written_twice',
  'rule_never_matches',
  'text_and_number',
])

const CUT_SHORT = 'what follows ` #` is a comment: put the whole expression in quotes'

/** Whether YAML took the rest of an expression for a comment. */
function isCutShort({ source: { text } }: Sheet, { scalar }: Place, code: MistakeCode): boolean {
  if (code !== 'expression_syntax' || scalar?.type !== 'PLAIN') return false
  return /^[ \t]+#/.test(text.slice(scalar.range?.[1]))
}

interface NamedRule {
  readonly name: string
  readonly offset: number
  /** Whether the name may be shown. */
  readonly isPlain: boolean
}

/** Rules whose names are known; one whose name has a mistake is left out. */
function namedRules({ sheet, path, before }: RuleList): NamedRule[] {
  return sheet.keys(...path).flatMap((key, index) => {
    const place = sheet.place(...path, key, 'name')
    if (place === null) {
      const isUnknown = sheet.has(...path, key, 'name')
      const offset = sheet.nearestKey(...path, key)
      const name = nameOfRule(undefined, before.length + index + 1)
      return isUnknown ? [] : [{ name, offset, isPlain: true }]
    }
    return [{ name: String(place.value), offset: place.valueAt, isPlain: place.references.length === 0 }]
  })
}

/** The messages that a rule emits have IDs made with its name, so no two may have the same. */
function checkNames(list: RuleList): Finding[] {
  const taken = new Set(list.before)
  return namedRules(list).flatMap(({ name, offset, isPlain }) => {
    if (!taken.has(name)) {
      taken.add(name)
      return []
    }
    const shown = isPlain ? ` \`${name}\`` : ''
    const whose = list.before.includes(name) ? 'a rule of the preset' : 'a rule before it'
    const message = `the name${shown} is already that of ${whose}`
    return [error('duplicate_rule', offset, message, 'give each rule a name of its own')]
  })
}

/** Keys of a rule that do nothing by themselves. */
const CONDITIONS = new Set(['name', 'when', 'on_error'])

function checkActions({ sheet, path }: RuleList): Finding[] {
  return sheet.keys(...path).flatMap((key) => {
    const place = sheet.place(...path, key)
    if (place === null || !sheet.isClean(...place.path)) return []
    const does = sheet.keys(...place.path).some((action) => {
      const value = sheet.place(...place.path, action)?.value
      return !CONDITIONS.has(action) && (action === 'calls' || action === 'keep' || !isNothing(value))
    })
    if (does) return []
    return [
      warning(
        'no_effect',
        place.keyAt,
        `${named(...place.path)} does nothing`,
        'say what it does, or remove it',
      ),
    ]
  })
}

function isNothing(value: unknown): boolean {
  return value === false || (typeof value === 'object' && value !== null && Object.keys(value).length === 0)
}
