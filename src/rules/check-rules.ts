import type { EventRule, InteractionRule, RuleProblem } from '../contracts/rules.ts'

/** Everything that is wrong with rules, or doubtful, in their order. */
export function checkRules(
  _rules:
    | { readonly direction: 'to_segment'; readonly rules: readonly InteractionRule[] }
    | { readonly direction: 'to_refiner'; readonly rules: readonly EventRule[] },
): readonly RuleProblem[] {
  return []
}
