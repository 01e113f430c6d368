import { Environment } from '@marcbachmann/cel-js'
import type { RuleDirection } from '../contracts/rules.ts'
import { declareEvent } from './event-variables.ts'
import { registerFunctions } from './functions.ts'
import { declareInteraction } from './interaction-variables.ts'

const made = new Map<RuleDirection, Environment>()

/** The variables, types and functions that expressions of a direction have. */
export function environmentOf(direction: RuleDirection): Environment {
  let environment = made.get(direction)
  if (environment === undefined) {
    environment = registerFunctions(
      new Environment({ homogeneousAggregateLiterals: false, enableOptionalTypes: true }),
    )
    if (direction === 'to_segment') declareInteraction(environment)
    else declareEvent(environment)
    made.set(direction, environment)
  }
  return environment
}
