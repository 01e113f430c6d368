import { expect, test } from 'bun:test'
import { Outages } from '../../src/dispatch/outages.ts'

test('time in outages that are over does not count; the one that lasts does', () => {
  const outages = new Outages()
  outages.begin(100)
  outages.begin(150)
  expect(outages.countedFrom(50)).toBe(50)
  outages.end(200)
  outages.end(300)
  expect(outages.countedFrom(50)).toBe(150)
  expect(outages.countedFrom(160)).toBe(200)
  expect(outages.countedFrom(250)).toBe(250)
})

test('a clock that is set back makes no outage longer than nothing', () => {
  const outages = new Outages()
  outages.begin(100)
  outages.end(50)
  expect(outages.countedFrom(10)).toBe(10)
})
