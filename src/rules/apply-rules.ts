import type { RuleBase } from '../contracts/rules.ts'
import type { CompiledBase } from './compiled-rules.ts'
import type { RuleOutcome } from './draft.ts'
import { Evaluation } from './evaluate.ts'

/** What became of a rule; `why` is for people and quotes nothing that was received. */
export interface RuleResult {
  readonly result: 'applied' | 'not_matched' | 'not_reached' | 'skipped' | 'failed'
  readonly why: string | null
}

/** Told of each rule, after it had its turn. */
export type RuleListener<Rule> = (rule: Rule, result: RuleResult) => void

/**
 * Gives each rule its turn. `prepare` evaluates all that a rule needs and answers how to apply it: so a rule that
 * fails changes nothing.
 */
export function runRules<Rule extends CompiledBase<RuleBase>>(
  rules: readonly Rule[],
  variables: object,
  outcome: RuleOutcome,
  prepare: (rule: Rule, evaluation: Evaluation) => () => void,
  listener?: RuleListener<Rule>,
): void {
  const evaluation = new Evaluation(variables)
  let over: string | null = null
  for (const rule of rules) {
    const result = over === null ? turn(rule, evaluation, outcome, prepare) : notReached(over)
    listener?.(rule, result)
    over ??= ending(rule.rule, result, outcome)
    // Without a listener nobody asks why the rest was not reached.
    if (over !== null && listener === undefined) return
  }
}

const APPLIED: RuleResult = { result: 'applied', why: null }
const NOT_MATCHED: RuleResult = { result: 'not_matched', why: null }

function turn<Rule extends CompiledBase<RuleBase>>(
  compiled: Rule,
  evaluation: Evaluation,
  outcome: RuleOutcome,
  prepare: (rule: Rule, evaluation: Evaluation) => () => void,
): RuleResult {
  const { rule, when } = compiled
  try {
    if (when !== null && !evaluation.holds(when)) return NOT_MATCHED
    if (rule.skip !== null) {
      outcome.skip = `${rule.skip} (rule ${rule.name})`
      return { result: 'skipped', why: rule.skip }
    }
    prepare(compiled, evaluation)()
    return APPLIED
  } catch (error) {
    const why = evaluation.failure(error)
    const reason = `rule ${rule.name} at ${rule.place} failed: ${why}`
    if (rule.onError === 'dead') outcome.failed = reason
    else outcome.notes.push(`${reason}; it was left out`)
    return { result: 'failed', why }
  }
}

/** Why no rule after this one is reached; null goes on. */
function ending(rule: RuleBase, { result }: RuleResult, { failed }: RuleOutcome): string | null {
  if (result === 'skipped') return `rule ${rule.name} skips`
  if (result === 'applied' && rule.stop) return `rule ${rule.name} stops`
  return failed === null ? null : `rule ${rule.name} failed`
}

function notReached(why: string): RuleResult {
  return { result: 'not_reached', why }
}
