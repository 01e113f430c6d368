import type { Call } from './call.ts'

/**
 * The mapping rules of refiner-sync.yaml, as they are written: expressions are CEL text, templates are text with
 * `{{ expression }}` in it. `rules/` checks and compiles them.
 */

/** Names and the expressions that give their values, in the order of the file. */
export type Fields = readonly (readonly [name: string, expression: string])[]

/** Either names with an expression each, or one expression that gives a whole map. */
export type FieldSource =
  { readonly kind: 'fields'; readonly fields: Fields } | { readonly kind: 'map'; readonly expression: string }

export type CastType = 'number' | 'boolean' | 'date' | 'list'

/** What all rules have. */
export interface RuleBase {
  /** As the file names it, else `#1`, `#2` … by its place in the list. */
  readonly name: string
  /** Where it stands, as `refiner-sync.yaml:31:11`. */
  readonly place: string
  /** Gives a boolean; null holds always. */
  readonly when: string | null
  /** What an expression that fails does: leaves the rule out, or makes the delivery dead. */
  readonly onError: 'skip_rule' | 'dead'
  /** A template; null leaves the event name as it is. */
  readonly event: string | null
  /** User traits. */
  readonly traits: FieldSource | null
  /** Account attributes. */
  readonly groupTraits: FieldSource | null
  /** From one name to another. */
  readonly rename: readonly (readonly [from: string, to: string])[]
  /** Names and patterns. */
  readonly drop: readonly string[]
  /** Names and patterns; null keeps all. */
  readonly keep: readonly string[] | null
  readonly cast: readonly (readonly [name: string, type: CastType])[]
  /** A reason for which nothing is sent; null goes on. */
  readonly skip: string | null
  /** Whether the rules after it are left out once it has applied. */
  readonly stop: boolean
}

/**
 * A rule of `to_segment.mapping`. In `rename`, `drop`, `keep` and `cast` a bare name is an answer, wherever it stands;
 * `traits.x`, `properties.x`, `group_traits.x` and `context.x` are that name in that place alone.
 */
export interface InteractionRule extends RuleBase {
  readonly properties: FieldSource | null
  readonly context: FieldSource | null
  /** The calls that are made, in this order; null leaves them as they are. */
  readonly calls: readonly Call[] | null
  /** An additional message; null makes none. */
  readonly emit: EmitRule | null
}

/** A message of a rule's own making. */
export interface EmitRule {
  readonly type: Call
  /** A template; null where the type has no event. */
  readonly event: string | null
  /** Expressions; null takes those of the interaction. */
  readonly userId: string | null
  readonly groupId: string | null
  readonly timestamp: string | null
  readonly traits: FieldSource | null
  readonly properties: FieldSource | null
  readonly context: FieldSource | null
  /** Further fields of the message itself. */
  readonly fields: FieldSource | null
}

/** A rule of `to_refiner.mapping`; bare names are user traits of an identify and account attributes of a group. */
export type EventRule = RuleBase

export type RuleDirection = 'to_segment' | 'to_refiner'

/** What an expression is for decides which variables it has. */
export type ExpressionUse = RuleDirection | 'segments'

/** A mistake, or something doubtful, in a rule. */
export interface RuleProblem {
  readonly code: RuleProblemCode
  readonly severity: 'error' | 'warning'
  /** Which rule, counted from 0. */
  readonly rule: number
  /** Where in the rule, by the keys of the file: `['traits', 'nps_score']`. */
  readonly path: readonly string[]
  /** Index into that value's text, in UTF-16 units from 0. */
  readonly at: number
  /** Names variables and types, and quotes nothing else of the expression. */
  readonly message: string
  readonly hint: string | null
}

export type RuleProblemCode =
  | 'expression_syntax'
  | 'expression_type'
  | 'unknown_variable'
  | 'unknown_field'
  | 'unknown_function'
  | 'bad_regular_expression'
  | 'bad_template'
  | 'rule_conflict'
  | 'rule_never_matches'
  | 'written_twice'
  | 'text_and_number'
