import type { EventRule, FieldSource, InteractionRule } from '../../src/contracts/rules.ts'

/** Names and their expressions, as a rule has them. */
export function fields(expressions: Record<string, string>): FieldSource {
  return { kind: 'fields', fields: Object.entries(expressions) }
}

/** One expression that gives a whole map. */
export function map(expression: string): FieldSource {
  return { kind: 'map', expression }
}

/** A rule of `to_refiner.mapping` that does nothing but what is given. */
export function eventRule(given: Partial<EventRule> = {}): EventRule {
  return {
    name: 'rule',
    place: 'refiner-sync.yaml:1:1',
    when: null,
    onError: 'skip_rule',
    event: null,
    traits: null,
    groupTraits: null,
    rename: [],
    drop: [],
    keep: null,
    cast: [],
    skip: null,
    stop: false,
    ...given,
  }
}

/** A rule of `to_segment.mapping` that does nothing but what is given. */
export function interactionRule(given: Partial<InteractionRule> = {}): InteractionRule {
  return { ...eventRule(), properties: null, context: null, calls: null, emit: null, ...given }
}
