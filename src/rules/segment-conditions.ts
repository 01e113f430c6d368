import type { RuleProblem } from '../contracts/rules.ts'
import { besideNumber, falsePart } from './doubts.ts'
import { compileExpression, type Expression } from './expression.ts'
import { failureText, isMissing } from './failures.ts'
import { type UserFacts, UserVariables } from './user-variables.ts'

/** What is wrong with the condition of a segment, or doubtful; `at` is an index into its text. */
export type ConditionProblem = Pick<RuleProblem, 'code' | 'severity' | 'at' | 'message' | 'hint'>

export function checkCondition(text: string): readonly ConditionProblem[] {
  const compiled = compileExpression('segments', text, 'condition')
  if (!compiled.ok) return [{ ...compiled.problem, severity: 'error' }]
  const beside = besideNumber(compiled.value).map(({ at, isEquality }): ConditionProblem => ({
    code: 'text_and_number',
    severity: 'warning',
    at,
    message: isEquality
      ? 'an answer is compared with a number, but Refiner gives numbers as texts: they are never equal'
      : 'an answer stands beside a number, but Refiner gives numbers as texts: the condition holds for nobody',
    hint: 'write `int(answers.name) >= 9`, or compare with a text, `answers.name == "9"`',
  }))
  const never = falsePart(compiled.value)
  if (never === null) return beside
  const message = 'nobody is in this segment: a part of its condition is always false'
  return [
    ...beside,
    { code: 'rule_never_matches', severity: 'warning', at: never.start, message, hint: null },
  ]
}

/** Throws on a condition that is wrong: the configuration has checked it before. */
export function compileCondition(text: string): Expression {
  const compiled = compileExpression('segments', text, 'condition')
  if (!compiled.ok) throw new Error(`compiling the condition of a segment: ${compiled.problem.message}`)
  return compiled.value
}

/** Whether somebody is in a segment; `failure` says why the condition could not tell, and quotes no value. */
export interface Membership {
  readonly member: boolean
  readonly failure: string | null
}

/**
 * Evaluates the conditions of a tenant's segments for one user, in their order. A condition that reads what the user
 * does not have does not hold, and neither does one that fails. Depends on nothing but its arguments. Throws where the facts
 * cannot be read.
 */
export function membershipsOf(conditions: readonly Expression[], facts: UserFacts): readonly Membership[] {
  const variables = new UserVariables(facts)
  return conditions.map((condition) => {
    try {
      const value = condition.evaluate(variables)
      if (typeof value === 'boolean') return { member: value, failure: null }
      return { member: false, failure: 'it is neither true nor false' }
    } catch (error) {
      // A disk that fails puts nobody out of a segment.
      if (variables.unread !== undefined) throw variables.unread.error
      const failure = isMissing(error) ? null : failureText(error, condition.text)
      return { member: false, failure }
    }
  })
}
