import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import type { JsonObject, JsonValue } from '../../src/contracts/json.ts'
import { differences } from '../../src/testing/differences.ts'

/** Values without nulls, which mean something of their own, and with few names, so that some are alike. */
const { value } = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom<JsonValue>('', '9', 'a', 9, 0, 1.5, true, false),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom('a', 'b', '__proto__', 'c d'), tie('value'), { maxKeys: 3 }),
  ),
}))

test('a value does not differ from itself', () => {
  fc.assert(
    fc.property(value, (one) => {
      expect(differences(one, structuredClone(one), 'exact')).toEqual([])
    }),
  )
})

test('exactly: there is no difference just where values are equal', () => {
  fc.assert(
    fc.property(value, value, (one, other) => {
      expect(differences(one, other, 'exact').length === 0).toBe(Bun.deepEquals(one, other, true))
    }),
  )
})

test('in part: names that nobody asks for make no difference, wherever they are', () => {
  fc.assert(
    fc.property(value, (one) => {
      expect(differences(one, withMore(one), 'partial')).toEqual([])
    }),
  )
})

test('in part: whatever is taken away makes a difference', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), value, { minKeys: 1 }), (object) => {
      const [name = '', ...rest] = Object.keys(object)
      const less = Object.fromEntries(rest.map((key) => [key, object[key]!]))
      expect(differences(object, less, 'partial')).toMatchObject([
        { expected: object[name]!, got: undefined },
      ])
    }),
  )
})

function withMore(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(withMore)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(([name, inner]): [string, JsonValue] => [name, withMore(inner)])
  return Object.fromEntries([['more', 1], ...entries])
}

describe('differences', () => {
  test.each([
    ['a number is not its text', { a: 9 }, { a: '9' }, 'a'],
    ['lists have their length', { a: [1] }, { a: [1, 2] }, 'a'],
    ['lists have their order', { a: [1, 2] }, { a: [2, 1] }, 'a[0]'],
    ['objects in lists are compared in part', { a: [{ b: 1 }] }, { a: [{ b: 2, c: 3 }] }, 'a[0].b'],
    ['null asks for nothing', { a: null }, { a: 0 }, 'a'],
    ['odd names are quoted', { 'a b': { '1': 1 } }, {}, '["a b"]'],
    ['an inherited name is none', { toString: 'x' }, {}, 'toString'],
  ] as [string, JsonObject, JsonObject, string][])('%s', (_, expected, got, path) => {
    expect(differences(expected, got, 'partial').map((one) => one.path)).toContain(path)
  })

  test('null is as good as absent', () => {
    expect(differences({ a: null, b: null }, { a: null }, 'exact')).toEqual([])
  })

  test('exactly: a null that nobody asks for is one too many', () => {
    expect(differences({}, { a: null }, 'exact')).toEqual([{ path: 'a', expected: undefined, got: null }])
  })
})
