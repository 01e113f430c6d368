import { expect, test } from 'bun:test'
import fc from 'fast-check'
import type { JsonObject } from '../../src/contracts/json.ts'
import { jsonOfFields, readReturned, writeFields } from '../../src/json/fields.ts'

/** Any name but those with control characters, which are written without them. */
const names = fc.string().filter((name) => !/\p{Cc}/u.test(name))
const objects = fc.dictionary(names, fc.jsonValue()) as fc.Arbitrary<JsonObject>

test('an object comes back as it was', () => {
  fc.assert(
    fc.property(objects, (object) => {
      const text = JSON.stringify(object)
      expect(JSON.stringify(JSON.parse(jsonOfFields(writeFields(JSON.parse(text) as JsonObject))))).toBe(text)
    }),
  )
})

test('a message that was left alone is the one that was given', () => {
  const given = [{ type: 'track' }, { type: 'identify' }]
  expect(readReturned('1', given)).toBe(given[1]!)
})

test('changed fields stand in place of those that were given, and removed ones are gone', () => {
  const given = [{ type: 'track', event: 'a', properties: { x: 1 } }]
  expect(readReturned('0\x1devent\x1f"b"\x1dproperties\x1f\x1dextra\x1f[1]', given)).toEqual({
    type: 'track',
    event: 'b',
    extra: [1],
  })
  expect(given[0]).toEqual({ type: 'track', event: 'a', properties: { x: 1 } })
})

test('what was made anew is read as JSON', () => {
  expect(readReturned('\x1d{"type":"track"}', [])).toEqual({ type: 'track' })
})
