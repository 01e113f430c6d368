import type { EventRule, InteractionRule, RuleProblem } from '../contracts/rules.ts'
import type { CompiledBase } from './compiled-rules.ts'
import { compileEventRules, compileInteractionRules } from './compile-rules.ts'
import { doubtfulExpressions, neverReached, writtenTwice } from './doubts.ts'

type Rules =
  | { readonly direction: 'to_segment'; readonly rules: readonly InteractionRule[] }
  | { readonly direction: 'to_refiner'; readonly rules: readonly EventRule[] }

/** Everything that is wrong with rules, or doubtful, in their order. */
export function checkRules(given: Rules): readonly RuleProblem[] {
  const { rules, problems } =
    given.direction === 'to_segment' ? compileInteractionRules(given.rules) : compileEventRules(given.rules)
  const compiled: readonly CompiledBase<InteractionRule | EventRule>[] = rules
  return [
    ...problems,
    ...doubtfulExpressions(compiled),
    ...neverReached(compiled),
    ...writtenTwice(compiled),
  ].toSorted((a, b) => a.rule - b.rule)
}
