import type {
  EmitRule,
  EventRule,
  FieldSource,
  InteractionRule,
  RuleBase,
  RuleDirection,
  RuleProblem,
} from '../contracts/rules.ts'
import type {
  CompiledBase,
  CompiledEmit,
  CompiledEventRule,
  CompiledFields,
  CompiledInteractionRule,
} from './compiled-rules.ts'
import { compileExpression, type Expression, type Wanted } from './expression.ts'
import type { TextProblem } from './expression-problems.ts'
import { compileTemplate, type Template } from './template.ts'

export interface CompiledRules<Rule> {
  /** What has a problem is left out of its rule. */
  readonly rules: readonly Rule[]
  readonly problems: readonly RuleProblem[]
}

/** Compiles the rules of `to_segment.mapping`, and says all that is wrong with them. */
export function compileInteractionRules(
  rules: readonly InteractionRule[],
): CompiledRules<CompiledInteractionRule> {
  const problems: RuleProblem[] = []
  const compiled = rules.map((rule, index) => {
    const parts = new PartCompiler('to_segment', index, problems)
    return {
      ...parts.base(rule),
      properties: parts.fields(['properties'], rule.properties),
      context: parts.fields(['context'], rule.context),
      emit: rule.emit === null ? null : parts.emit(rule.emit),
    }
  })
  return { rules: compiled, problems }
}

/** Compiles the rules of `to_refiner.mapping`, and says all that is wrong with them. */
export function compileEventRules(rules: readonly EventRule[]): CompiledRules<CompiledEventRule> {
  const problems: RuleProblem[] = []
  const compiled = rules.map((rule, index) => new PartCompiler('to_refiner', index, problems).base(rule))
  return { rules: compiled, problems }
}

class PartCompiler {
  constructor(
    private readonly direction: RuleDirection,
    private readonly rule: number,
    private readonly problems: RuleProblem[],
  ) {}

  base<Rule extends RuleBase>(rule: Rule): CompiledBase<Rule> {
    return {
      rule,
      when: this.expression(['when'], rule.when, 'condition'),
      event: this.template(['event'], rule.event),
      traits: this.fields(['traits'], rule.traits),
      groupTraits: this.fields(['group_traits'], rule.groupTraits),
    }
  }

  emit(emit: EmitRule): CompiledEmit {
    return {
      type: emit.type,
      event: this.template(['emit', 'event'], emit.event),
      userId: this.expression(['emit', 'user_id'], emit.userId, 'text'),
      groupId: this.expression(['emit', 'group_id'], emit.groupId, 'text'),
      timestamp: this.expression(['emit', 'timestamp'], emit.timestamp, 'moment'),
      traits: this.fields(['emit', 'traits'], emit.traits),
      properties: this.fields(['emit', 'properties'], emit.properties),
      context: this.fields(['emit', 'context'], emit.context),
      fields: this.fields(['emit', 'fields'], emit.fields),
    }
  }

  fields(path: readonly string[], source: FieldSource | null): CompiledFields | null {
    if (source === null) return null
    if (source.kind === 'map') {
      const map = this.expression(path, source.expression, 'map')
      return map === null ? null : { kind: 'map', part: path.join('.'), map }
    }
    const fields = source.fields.flatMap(([name, text]) => {
      const value = this.expression([...path, name], text, 'value')
      return value === null ? [] : [{ part: [...path, name].join('.'), name, value }]
    })
    return { kind: 'fields', fields }
  }

  private expression(path: readonly string[], text: string | null, wanted: Wanted): Expression | null {
    if (text === null) return null
    const compiled = compileExpression(this.direction, text, wanted)
    if (compiled.ok) return compiled.value
    this.note(path, compiled.problem)
    return null
  }

  private template(path: readonly string[], text: string | null): Template | null {
    if (text === null) return null
    const compiled = compileTemplate(this.direction, text)
    if (compiled.ok) return compiled.value
    this.note(path, compiled.problem)
    return null
  }

  private note(path: readonly string[], problem: TextProblem): void {
    this.problems.push({ ...problem, severity: 'error', rule: this.rule, path })
  }
}
