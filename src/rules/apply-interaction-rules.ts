import type { JsonObject, JsonValue } from '../contracts/json.ts'
import { runRules, type RuleListener } from './apply-rules.ts'
import { castValue } from './cast.ts'
import type { CompiledEmit, CompiledFields, CompiledInteractionRule } from './compiled-rules.ts'
import { momentOf } from './dates.ts'
import type { EmittedMessage, InteractionDraft } from './draft.ts'
import { type Evaluation, type FieldValues, setFields } from './evaluate.ts'
import { FunctionFailed } from './function-failed.ts'
import type { InteractionVariables } from './interaction-variables.ts'
import { dropNamed, keepNamed, renameAll, replaceNamed, valueNamed } from './names.ts'
import { OWN_FIELDS } from './own-fields.ts'

/**
 * Applies the rules to the draft, in order. Expressions see the interaction as it came, whatever earlier rules did;
 * what a rule does, it does to the messages as earlier rules left them.
 */
export function applyInteractionRules(
  rules: readonly CompiledInteractionRule[],
  draft: InteractionDraft,
  variables: InteractionVariables,
  listener?: RuleListener<CompiledInteractionRule>,
): void {
  runRules(rules, variables, draft.outcome, (rule, evaluation) => prepare(rule, draft, evaluation), listener)
}

function prepare(
  compiled: CompiledInteractionRule,
  draft: InteractionDraft,
  evaluation: Evaluation,
): () => void {
  const { rule } = compiled
  const values = (source: CompiledFields | null) => (source === null ? null : evaluation.fields(source))
  const event = evaluation.rendered('event', compiled.event)
  const traits = values(compiled.traits)
  const properties = values(compiled.properties)
  const groupTraits = values(compiled.groupTraits)
  const context = values(compiled.context)
  const casts = castsOf(rule.cast, draft, evaluation)
  const emitted = compiled.emit === null ? null : emit(compiled.emit, rule.name, evaluation)
  return () => {
    for (const [name, value] of casts) replaceNamed(draft, name, value)
    renameAll(draft, rule.rename)
    for (const name of rule.drop) dropNamed(draft, name)
    if (rule.keep !== null) keepNamed(draft, rule.keep)
    if (event !== null) draft.event = event
    setFields(draft.traits, traits)
    setFields(draft.properties, properties)
    setFields(draft.groupTraits, groupTraits)
    setFields(draft.context, context)
    if (rule.calls !== null) draft.calls = rule.calls
    if (emitted !== null) draft.emitted.push(emitted)
  }
}

/** The values that `cast` gives; names that have none are left alone. */
function castsOf(
  casts: CompiledInteractionRule['rule']['cast'],
  draft: InteractionDraft,
  evaluation: Evaluation,
): [name: string, value: JsonValue][] {
  return casts.flatMap(([name, type]): [string, JsonValue][] => {
    evaluation.at(`cast.${name}`)
    const value = valueNamed(draft, name)
    return value === undefined ? [] : [[name, castValue(value, type)]]
  })
}

function emit(compiled: CompiledEmit, rule: string, evaluation: Evaluation): EmittedMessage {
  const map = (source: CompiledFields | null) => collected(source === null ? [] : evaluation.fields(source))
  return {
    type: compiled.type,
    rule,
    event: evaluation.rendered('emit.event', compiled.event),
    userId: evaluation.text('emit.user_id', compiled.userId),
    groupId: evaluation.text('emit.group_id', compiled.groupId),
    timestamp: moment(compiled, evaluation),
    traits: compiled.traits === null ? null : map(compiled.traits),
    properties: compiled.properties === null ? null : map(compiled.properties),
    context: map(compiled.context),
    fields: furtherFields(map(compiled.fields)),
  }
}

function furtherFields(fields: JsonObject): JsonObject {
  for (const name of OWN_FIELDS.keys()) {
    if (Object.hasOwn(fields, name)) throw new FunctionFailed(`\`${name}\` is not for it to set`)
  }
  return fields
}

function collected(fields: FieldValues): JsonObject {
  const values = {}
  setFields(values, fields)
  return values
}

function moment({ timestamp }: CompiledEmit, evaluation: Evaluation): string | null {
  if (timestamp === null) return null
  const value = momentOf(evaluation.value('emit.timestamp', timestamp))
  if (value === null) throw new FunctionFailed('the value is no moment')
  return value.toISOString()
}
