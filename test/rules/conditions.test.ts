import { expect, test } from 'bun:test'
import { whyNot } from '../../src/rules/conditions.ts'
import { compileExpression } from '../../src/rules/expression.ts'

test.each([
  ['"nps" in answers', '`"nps" in answers` is false'],
  ['tenant == "acme" && "nps" in answers', '`"nps" in answers` is false'],
  [
    'tenant == "b" && (tenant == "acme" && "nps" in answers)',
    '`tenant == "b"` is false, `"nps" in answers` is false',
  ],
  [
    'tenant == "acme" && int(answers.why) > 3',
    '`int(answers.why) > 3` fails: `int(answers.why)`: int conversion error',
  ],
  ['tenant == "b" || tenant == "c"', '`tenant == "b" || tenant == "c"` is false'],
])('of %s it says which parts do not hold', (text, says) => {
  const condition = compileExpression('to_segment', text, 'condition')
  if (!condition.ok) throw new Error(condition.problem.message)
  const answers = { why: 'Pricing' }
  expect(whyNot('to_segment', condition.value, { tenant: 'acme', answers })).toBe(says)
})
