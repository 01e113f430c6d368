import { expect, test } from 'bun:test'
import fc from 'fast-check'
import type { JsonObject } from '../../src/contracts/json.ts'
import { messageChanges } from '../../src/testing/message-changes.ts'

const identify = { type: 'identify', traits: { a: 1, b: 2 } }
const track = { type: 'track', event: 'E', properties: { a: 1 } }

test('tells values that were added, removed and changed', () => {
  const after = [{ type: 'identify', traits: { a: 3, c: { d: 4 } } }, track]
  expect(messageChanges([identify, track], after)).toEqual([
    {
      kind: 'changed',
      message: after[0]!,
      values: [
        { path: 'traits.a', before: 1, after: 3 },
        { path: 'traits.b', before: 2, after: undefined },
        { path: 'traits.c.d', before: undefined, after: 4 },
      ],
    },
  ])
})

test('knows an event by its new name, and a new event by its type', () => {
  const renamed = { ...track, event: 'F' }
  const more = { type: 'track', event: 'G' }
  expect(
    messageChanges([identify, track], [renamed, more]).map(({ kind, message }) => [kind, message]),
  ).toEqual([
    ['removed', identify],
    ['changed', renamed],
    ['added', more],
  ])
})

test('what goes to Refiner is one message, whatever its traits are named', () => {
  const before = { id: 'u', type: 'a' }
  expect(messageChanges([before], [{ id: 'u', type: 'b' }])).toMatchObject([
    { kind: 'changed', values: [{ path: 'type', before: 'a', after: 'b' }] },
  ])
})

test('nothing changed where the messages are the same, in whatever order their names stand', () => {
  const message = fc.dictionary(fc.constantFrom('type', 'event', 'a', 'b'), fc.constantFrom('x', 'y'))
  fc.assert(
    fc.property(fc.array(message, { maxLength: 4 }), (messages) => {
      const turned = messages.map((one): JsonObject => Object.fromEntries(Object.entries(one).toReversed()))
      expect(messageChanges(messages, structuredClone(messages))).toEqual([])
      expect(messageChanges(messages.slice(0, 1), turned.slice(0, 1))).toEqual([])
    }),
  )
})
