import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { isNestedDeeperThan } from '../../src/json/nesting.ts'

function depth(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  return 1 + Math.max(0, ...Object.values(value).map(depth))
}

test('a text is as deep as what is parsed of it, whatever stands in its strings', () => {
  const tricky = fc.constantFrom('"', '\\', '\\"', '[', ']', '{', '}', '[[[', '\\\\', 'a', '\u2028')
  const text = fc.array(tricky).map((parts) => parts.join(''))
  const { value } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'large', withCrossShrink: true },
      text,
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(text, tie('value'), { maxKeys: 3 }),
    ),
  }))
  fc.assert(
    fc.property(value, fc.nat(8), fc.constantFrom(0, 1), (of, levels, indent) => {
      expect(isNestedDeeperThan(JSON.stringify(of, null, indent), levels)).toBe(depth(of) > levels)
    }),
    { numRuns: 500 },
  )
})

test('neither depth nor broken text is too much for it', () => {
  for (const text of ['['.repeat(100_000), '{"a":'.repeat(100_000), `[${'"\\'.repeat(100_000)}`])
    expect(isNestedDeeperThan(text, 64)).toBe(!text.includes('\\'))
  expect(isNestedDeeperThan(`[${'[],'.repeat(100_000)}[]]`, 2)).toBe(false)
  expect(isNestedDeeperThan(']'.repeat(100) + '['.repeat(64), 64)).toBe(false)
})
