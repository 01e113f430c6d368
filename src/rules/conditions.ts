import type { RuleDirection } from '../contracts/rules.ts'
import { compileExpression, type Expression } from './expression.ts'
import { failureText } from './failures.ts'
import { conjunctsOf } from './syntax-tree.ts'

/** Why a condition does not hold, in words: the parts of it that are false. */
export function whyNot(direction: RuleDirection, condition: Expression, variables: object): string {
  const { text, tree } = condition
  const parts = conjunctsOf(tree).map(({ start, end }) => text.slice(start, end))
  const wrong = parts.flatMap((part) => {
    const compiled = compileExpression(direction, part, 'condition')
    if (!compiled.ok) return []
    try {
      return compiled.value.evaluate(variables) === true ? [] : [`\`${part}\` is false`]
    } catch (error) {
      return [`\`${part}\` fails: ${failureText(error, part)}`]
    }
  })
  return wrong.length > 0 ? wrong.join(', ') : `\`${text}\` is false`
}
