import type { Call } from '../contracts/call.ts'
import type { EventRule, InteractionRule } from '../contracts/rules.ts'
import type { Expression } from './expression.ts'
import type { Template } from './template.ts'

/** Rules with their expressions compiled. */

export type CompiledFields =
  | { readonly kind: 'fields'; readonly fields: readonly CompiledField[] }
  | { readonly kind: 'map'; readonly part: string; readonly map: Expression }

export interface CompiledField {
  /** Of the rule, such as `traits.nps_score`, for messages. */
  readonly part: string
  readonly name: string
  readonly value: Expression
}

export interface CompiledBase<Rule> {
  /** As it is written. */
  readonly rule: Rule
  readonly when: Expression | null
  readonly event: Template | null
  readonly traits: CompiledFields | null
  readonly groupTraits: CompiledFields | null
}

export interface CompiledInteractionRule extends CompiledBase<InteractionRule> {
  readonly properties: CompiledFields | null
  readonly context: CompiledFields | null
  readonly emit: CompiledEmit | null
}

export type CompiledEventRule = CompiledBase<EventRule>

export interface CompiledEmit {
  readonly type: Call
  readonly event: Template | null
  readonly userId: Expression | null
  readonly groupId: Expression | null
  readonly timestamp: Expression | null
  readonly traits: CompiledFields | null
  readonly properties: CompiledFields | null
  readonly context: CompiledFields | null
  readonly fields: CompiledFields | null
}
