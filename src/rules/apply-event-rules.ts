import type { JsonObject, JsonValue } from '../contracts/json.ts'
import { put } from '../json/objects.ts'
import { runRules, type RuleListener } from './apply-rules.ts'
import { castValue } from './cast.ts'
import type { CompiledEventRule } from './compiled-rules.ts'
import type { EventDraft } from './draft.ts'
import { type Evaluation, setFields } from './evaluate.ts'
import type { EventVariables } from './event-variables.ts'
import { matchesPattern } from './name-filter.ts'
import { scopedName } from './names.ts'

/** Applies rules to a call for Refiner, in order; as `applyInteractionRules` does to messages for Segment. */
export function applyEventRules(
  rules: readonly CompiledEventRule[],
  draft: EventDraft,
  variables: EventVariables,
  listener?: RuleListener<CompiledEventRule>,
): void {
  runRules(rules, variables, draft.outcome, (rule, evaluation) => prepare(rule, draft, evaluation), listener)
}

function prepare(compiled: CompiledEventRule, draft: EventDraft, evaluation: Evaluation): () => void {
  const { rule } = compiled
  const event = evaluation.rendered('event', compiled.event)
  const traits = compiled.traits === null ? null : evaluation.fields(compiled.traits)
  const groupTraits = compiled.groupTraits === null ? null : evaluation.fields(compiled.groupTraits)
  const casts = castsOf(rule.cast, draft, evaluation)
  return () => {
    for (const [{ values, name }, value] of casts) values[name] = value
    renameAll(draft, rule.rename)
    for (const text of rule.drop) drop(draft, text)
    if (rule.keep !== null) keep(draft, rule.keep)
    // Only what is an event has a name to change.
    if (event !== null && draft.event !== '') draft.event = event
    setFields(draft.traits, traits)
    setFields(draft.groupTraits, groupTraits)
  }
}

/** The values that `cast` gives; names that have none are left alone. */
function castsOf(
  casts: CompiledEventRule['rule']['cast'],
  draft: EventDraft,
  evaluation: Evaluation,
): [Target, JsonValue][] {
  return casts.flatMap(([text, type]): [Target, JsonValue][] => {
    const target = targetOf(draft, text)
    if (!Object.hasOwn(target.values, target.name)) return []
    evaluation.at(`cast.${text}`)
    return [[target, castValue(target.values[target.name]!, type)]]
  })
}

type Place = 'traits' | 'groupTraits'

interface Target {
  readonly values: JsonObject
  readonly name: string
}

function placeOf(draft: EventDraft, text: string): { place: Place; name: string } {
  const { scope, name } = scopedName(text)
  return scope === 'traits' || scope === 'groupTraits'
    ? { place: scope, name }
    : { place: draft.bare, name: text }
}

function targetOf(draft: EventDraft, text: string): Target {
  const { place, name } = placeOf(draft, text)
  return { values: draft[place], name }
}

/** All at the same time: two names can change places. */
function renameAll(draft: EventDraft, renames: readonly (readonly [from: string, to: string])[]): void {
  for (const place of ['traits', 'groupTraits'] as const) {
    const here = renames.filter(([from]) => placeOf(draft, from).place === place)
    if (here.length > 0) draft[place] = renamedAll(draft, place, here)
  }
}

function renamedAll(
  draft: EventDraft,
  place: Place,
  renames: readonly (readonly [from: string, to: string])[],
): JsonObject {
  const names = new Map(
    renames.map(([from, to]) => [placeOf(draft, from).name, targetName(draft, place, to)]),
  )
  const values = draft[place]
  const taken = new Set([...names].filter(([from]) => Object.hasOwn(values, from)).map(([, to]) => to))
  const result: JsonObject = {}
  for (const name in values) {
    const to = names.get(name)
    if (to !== undefined) put(result, to, values[name]!)
    // What had the new name before is replaced.
    else if (!taken.has(name)) put(result, name, values[name]!)
  }
  return result
}

function targetName(draft: EventDraft, place: Place, to: string): string {
  const target = placeOf(draft, to)
  return target.place === place ? target.name : to
}

function drop(draft: EventDraft, text: string): void {
  const { values, name } = targetOf(draft, text)
  for (const key of Object.keys(values)) if (matchesPattern(name, key)) delete values[key]
}

function keep(draft: EventDraft, texts: readonly string[]): void {
  const names = texts.map((text) => placeOf(draft, text))
  // An empty list keeps nothing of what bare names mean.
  const places = names.length === 0 ? [draft.bare] : new Set(names.map((name) => name.place))
  for (const place of places) {
    const patterns = names.filter((name) => name.place === place).map(({ name }) => name)
    const values = draft[place]
    for (const key of Object.keys(values)) {
      if (!patterns.some((pattern) => matchesPattern(pattern, key))) delete values[key]
    }
  }
}
