import { expect, test } from 'bun:test'
import { mistakesOf, REFINER, SEGMENT, tenantFile } from './marked-file.ts'

test('all mistakes of a file are told at once, in its order', () => {
  const text = tenantFile(
    [
      'refiner: { apiKey: k, webhook: { secret: "${NOT_SET}", in: beaver } }',
      'segment: { region: mars }',
      'to_segment: []',
    ],
    ['server: { port: http }', 'delivery: { timeout: 0s }', 'nonsense: 1'],
  )
  expect(mistakesOf(text).map(({ code, line }) => `${line} ${code}`)).toEqual([
    '3 unknown_key',
    '3 missing_variable',
    '3 not_one_of',
    '4 missing_key',
    '4 not_one_of',
    '5 empty_value',
    '6 wrong_type',
    '7 out_of_range',
    '8 unknown_key',
  ])
})

test('a misspelled key is told of once, not also as missing', () => {
  const text = tenantFile([REFINER, 'segment: { writeKey: k, destinationKeys: [d] }'])
  expect(mistakesOf(text).map(({ code }) => code)).toEqual(['unknown_key', 'unknown_key'])
})

test('every bad name of a mapping by name is told', () => {
  const text = `${tenantFile([REFINER, SEGMENT])}  a!: {}\n  b!: {}\n`
  expect(mistakesOf(text).map(({ code, line }) => [code, line])).toEqual([
    ['bad_tenant_name', 5],
    ['bad_tenant_name', 6],
  ])
})
