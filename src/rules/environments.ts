import { Environment } from '@marcbachmann/cel-js'
import type { ExpressionUse } from '../contracts/rules.ts'
import { declareEvent } from './event-variables.ts'
import { registerFunctions } from './functions.ts'
import { declareInteraction } from './interaction-variables.ts'
import { declareUser } from './user-variables.ts'

const made = new Map<ExpressionUse, Environment>()

/** The variables, types and functions that expressions of a use have. */
export function environmentOf(use: ExpressionUse): Environment {
  let environment = made.get(use)
  if (environment === undefined) {
    environment = registerFunctions(
      new Environment({ homogeneousAggregateLiterals: false, enableOptionalTypes: true }),
    )
    DECLARE[use](environment)
    made.set(use, environment)
  }
  return environment
}

const DECLARE: Readonly<Record<ExpressionUse, (environment: Environment) => unknown>> = {
  to_segment: declareInteraction,
  to_refiner: declareEvent,
  segments: declareUser,
}
