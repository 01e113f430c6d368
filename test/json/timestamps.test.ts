import { expect, test } from 'bun:test'
import { isoTimestamp } from '../../src/json/timestamps.ts'

test.each([
  ['2022-10-12T01:47:33.000000Z', '2022-10-12T01:47:33.000Z'],
  ['2022-10-12T01:47:33.123456Z', '2022-10-12T01:47:33.123Z'],
  ['2022-10-12 01:47:33', '2022-10-12T01:47:33.000Z'],
  ['2022-10-12T01:47:33+02:00', '2022-10-11T23:47:33.000Z'],
  ['2022-10-12T01:47:33.5', '2022-10-12T01:47:33.500Z'],
  ['2022-10-12', '2022-10-12T00:00:00.000Z'],
  ['2022-13-45 01:47:33', null],
  ['yesterday', null],
  ['', null],
  [null, null],
  [undefined, null],
  [1_665_539_253, null],
])('%p is %p, in UTC', (value, iso) => {
  expect(isoTimestamp(value)).toBe(iso)
})
