import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import type { JsonObject } from '../../src/contracts/json.ts'
import { compareMessage } from '../../src/testing/compare-message.ts'
import { judgeMessages } from '../../src/testing/judge-messages.ts'
import type { SentMessage } from '../../src/testing/sent-message.ts'

function toSegment(body: JsonObject & { readonly type: string }): SentMessage {
  return { destination: 'segment', call: body.type, body }
}

function toRefiner(call: string, body: JsonObject): SentMessage {
  return { destination: 'refiner', call, body }
}

const identify = toSegment({ type: 'identify', userId: 'u', traits: { nps: 9, plan: 'pro' } })
const group = toSegment({ type: 'group', userId: 'u', groupId: 'g', traits: {} })
const track = toSegment({ type: 'track', userId: 'u', event: 'NPS Submitted', properties: { score: 9 } })
const all = [identify, group, track]

const message = fc
  .record({ type: fc.constantFrom('identify', 'track'), a: fc.integer({ min: 0, max: 2 }) })
  .map((body) => toSegment(body))
const wanted = fc.oneof(
  fc.record({ type: fc.constantFrom('identify', 'track') }),
  fc.record({ a: fc.integer({ min: 0, max: 2 }) }),
)

test('what expects a part of each of some of the messages, in order, is content', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(message, fc.boolean(), fc.boolean()), { maxLength: 8 }), (drawn) => {
      const messages = drawn.map(([one]) => one)
      const expected = drawn
        .filter(([, taken]) => taken)
        .map(([{ body }, , whole]) => (whole ? body : { type: body['type']! }))
      fc.pre(expected.length > 0)
      expect(judgeMessages(expected, messages, false)).toEqual([])
    }),
  )
})

test('it is content just where some choice of messages in order fits', () => {
  fc.assert(
    fc.property(
      fc.array(wanted, { minLength: 1, maxLength: 4 }),
      fc.array(message, { maxLength: 5 }),
      (expected, messages) => {
        const content = judgeMessages(expected, messages, false).length === 0
        expect(content).toBe(someChoiceFits(expected, messages))
      },
    ),
  )
})

/** Tries every choice. */
function someChoiceFits(expected: readonly JsonObject[], messages: readonly SentMessage[]): boolean {
  const [first, ...rest] = expected
  if (first === undefined) return true
  return messages.some(
    (one, index) =>
      compareMessage(first, one, false).length === 0 && someChoiceFits(rest, messages.slice(index + 1)),
  )
}

test('exactly: messages are as expected just where they are the same ones', () => {
  const list = fc.array(message, { maxLength: 4 })
  fc.assert(
    fc.property(list, list, (one, other) => {
      const content =
        judgeMessages(
          one.map(({ body }) => body),
          other,
          true,
        ).length === 0
      expect(content).toBe(Bun.deepEquals(one, other))
    }),
  )
})

describe('what is told of a failure', () => {
  test('the closest message is one of the same event before all', () => {
    const other = toSegment({ type: 'track', userId: 'u', event: 'Other', properties: { score: 8 } })
    const expected = { type: 'track', event: 'NPS Submitted', properties: { score: 8, more: 1 } }
    expect(judgeMessages([expected], [other, ...all], false)).toEqual([
      {
        message:
          'expected message 1 did not come: track "NPS Submitted"; closest is message 4, track "NPS Submitted"',
        differences: [
          { path: 'properties.score', expected: 8, got: 9 },
          { path: 'properties.more', expected: 1, got: undefined },
        ],
      },
    ])
  })

  test('a message that came before its turn', () => {
    const failures = judgeMessages([{ type: 'track' }, { type: 'identify' }], all, false)
    expect(failures.map(({ message }) => message)).toEqual([
      'expected message 2 did not come: identify; it came too early, as message 1',
    ])
  })

  test('every expected message that is missing, and none that is there', () => {
    const failures = judgeMessages([{ type: 'page' }, { type: 'group' }, { type: 'alias' }], all, false)
    expect(failures).toHaveLength(2)
  })

  test('no message at all', () => {
    expect(judgeMessages([{ type: 'track' }], [], false)).toEqual([
      { message: 'expected message 1 did not come: track', differences: [] },
    ])
  })
})

test('an empty list asks for no message', () => {
  expect(judgeMessages([], [], false)).toEqual([])
  expect(judgeMessages([], [identify], false)).toEqual([
    { message: 'message 1 is not expected: identify', differences: [] },
  ])
})

describe('exactly', () => {
  const sent = toSegment({
    type: 'track',
    userId: 'u',
    event: 'E',
    properties: { a: 1 },
    messageId: 'm',
    timestamp: 't',
    context: { library: { name: 'l', version: '1' } },
    integrations: { Refiner: false },
  })
  const whole = { type: 'track', userId: 'u', event: 'E', properties: { a: 1 } }

  test('needs nothing that all messages have', () => {
    expect(judgeMessages([whole], [sent], true)).toEqual([])
  })

  test('compares in part what it names of that', () => {
    const named = { ...whole, timestamp: 't', context: { library: { name: 'l' } } }
    expect(judgeMessages([named], [sent], true)).toEqual([])
    expect(judgeMessages([{ ...whole, timestamp: 'other' }], [sent], true)).toHaveLength(1)
  })

  test.each([
    ['a property that is not expected', { ...whole, properties: {} }],
    ['properties that are not expected', { type: 'track', userId: 'u', event: 'E' }],
    ['a user that is not expected', { type: 'track', event: 'E', properties: { a: 1 } }],
    ['a field that does not come', { ...whole, traits: { a: 1 } }],
  ])('finds %s', (_, expected) => {
    expect(judgeMessages([expected], [sent], true)).toHaveLength(1)
  })

  test('takes empty traits for none', () => {
    expect(judgeMessages([{ type: 'group', userId: 'u', groupId: 'g' }], [group], true)).toEqual([])
    expect(judgeMessages([{ ...whole, traits: {} }], [sent], true)).toEqual([])
    expect(judgeMessages([{ ...whole, traits: null }], [sent], true)).toEqual([])
  })

  test('finds messages that are too many, and says which', () => {
    expect(judgeMessages([identify.body, track.body], all, true).map(({ message }) => message)).toEqual([
      '3 messages came where 2 are expected',
      'message 2 is not expected: group',
    ])
  })
})

describe('what goes to Refiner', () => {
  const sent = toRefiner('identify', { id: 'u', type: 'admin', account: { id: 'g' } })

  test.each([
    [{ call: 'identify', id: 'u' }],
    [{ type: 'identify', id: 'u' }],
    [{ type: 'admin', id: 'u' }],
    [{ call: 'identify', type: 'admin' }],
  ])('%j fits', (expected) => {
    expect(judgeMessages([expected], [sent], false)).toEqual([])
  })

  test.each([[{ call: 'track' }], [{ type: 'track' }], [{ call: 'identify', type: 'identify' }]])(
    '%j does not fit',
    (expected) => {
      expect(judgeMessages([expected], [sent], false)).toHaveLength(1)
    },
  )

  test('exactly: what goes to Refiner has nothing that may be left out', () => {
    // There these are traits like any other.
    const sent = toRefiner('identify', { id: 'u', context: 'a', timestamp: 'b' })
    const expected = { call: 'identify', id: 'u' }
    expect(compareMessage(expected, sent, true).map(({ path }) => path)).toEqual(['context', 'timestamp'])
    expect(compareMessage({ ...expected, context: 'a', timestamp: 'b' }, sent, true)).toEqual([])
  })

  test('exactly: every trait is named', () => {
    const whole = { call: 'identify', id: 'u', type: 'admin', account: { id: 'g' } }
    expect(judgeMessages([whole], [sent], true)).toEqual([])
    expect(judgeMessages([{ ...whole, account: {} }], [sent], true)).toHaveLength(1)
  })
})

test('what goes to Segment may be asked for by `call`, too', () => {
  expect(judgeMessages([{ call: 'track', event: 'NPS Submitted' }], all, false)).toEqual([])
  expect(judgeMessages([{ call: 'page' }], all, false)).toHaveLength(1)
})
