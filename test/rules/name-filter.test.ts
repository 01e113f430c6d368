import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { matchesPattern } from '../../src/rules/name-filter.ts'

test.each([
  ['*', 'anything', true],
  ['*', '', true],
  ['NPS', 'NPS', true],
  ['NPS', 'NPS 2', false],
  ['NPS *', 'NPS 2024', true],
  ['*churn*', 'On churn, again', true],
  ['a*a', 'a', false],
  ['a*b*c', 'a/x/b.(d', false],
  ['a*b*c', 'a/x/b.(c)c', true],
  ['what?', 'what?', true],
  ['what?', 'whatx', false],
  ['(.*', '(a', false],
])('%s matches %s: %p', (pattern, name, expected) => {
  expect(matchesPattern(pattern, name)).toBe(expected)
})

test('agrees with the regular expression of the same meaning', () => {
  const letters = fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength: 8 })
  const names = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 12 })
  fc.assert(
    fc.property(letters, names, (pattern, name) => {
      const expression = new RegExp(`^${pattern.replaceAll('*', '[^]*')}$`)
      expect(matchesPattern(pattern, name)).toBe(expression.test(name))
    }),
    { numRuns: 1000 },
  )
})
