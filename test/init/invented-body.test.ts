import { expect, test } from 'bun:test'
import fc from 'fast-check'
import type { JsonObject, JsonValue } from '../../src/contracts/json.ts'
import { inventedBody } from '../../src/init/invented-body.ts'
import { completedSurvey, withResponse } from '../fixtures/refiner-webhook.ts'

/** Texts as people and their data give them; none of them can come about by chance. */
const personal = fc.oneof(
  fc.stringMatching(/^[A-Z][a-z]{6,12} [A-Z][a-z]{6,12}$/),
  fc.stringMatching(/^[a-z]{8,12}@[a-z]{8,12}\.org$/),
  fc.stringMatching(/^\+49[2-8]{9}$/),
  fc.stringMatching(/^[2-8]{9,14}$/),
  fc.uuid(),
  fc.stringMatching(/^https:\/\/[a-z]{10}\.com\/[a-z]{5}$/),
  fc.lorem({ maxCount: 3, mode: 'sentences' }),
  fc.stringMatching(/^(19|20)[3-9]\d-0[1-9]-1\d$/),
)
const name = fc.constantFrom(
  'nps',
  'comment',
  'name',
  'remote_id',
  'domain',
  'tags',
  'phone',
  'trial_ends_at',
  'x',
)
const { value } = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    personal,
    fc.constantFrom<JsonValue>(null, true, ''),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.oneof(name, personal), tie('value'), { maxKeys: 4 }),
  ),
}))
const body = fc.record({
  uuid: personal,
  remote_id: personal,
  email: personal,
  display_name: personal,
  attributes: fc.dictionary(name, value),
  account: fc.record({ remote_id: personal, attributes: fc.dictionary(name, value) }),
  segments: fc.array(fc.record({ name: personal })),
  response: fc.record({ uuid: personal, data: fc.dictionary(name, value), tags: fc.array(personal) }),
  unforeseen: value,
}) as fc.Arbitrary<JsonObject>

function textsOf(one: JsonValue): string[] {
  if (typeof one === 'string') return [one]
  return typeof one === 'object' && one !== null ? Object.values(one).flatMap(textsOf) : []
}

test('nothing of what somebody said or is known by is left', () => {
  fc.assert(
    fc.property(body, (drawn) => {
      const invented = JSON.stringify(inventedBody(drawn))
      for (const text of textsOf(drawn))
        if (text.length > 5) expect(invented).not.toContain(JSON.stringify(text).slice(1, -1))
    }),
  )
})

test('a name that is a piece of data is replaced, too', () => {
  const invented = inventedBody({
    attributes: { 'ada@example.org': true, '+49 170 12345678': true, '1983-09-12': true, plan: true },
  })
  expect(invented).toEqual({ attributes: { field_1: true, field_2: true, field_3: true, plan: true } })
})

test('the shape stays: as many values, of the same types', () => {
  const shapeOf = (one: JsonValue): unknown => {
    if (Array.isArray(one)) return one.map(shapeOf)
    if (typeof one === 'object' && one !== null) return Object.values(one).map(shapeOf)
    return typeof one
  }
  fc.assert(
    fc.property(body, (drawn) => {
      expect(shapeOf(inventedBody(drawn))).toEqual(shapeOf(drawn))
    }),
  )
})

test('what was the same is the same, and what differed differs', () => {
  const invented = inventedBody({
    email: 'ada@x.org',
    attributes: { email: 'ada@x.org', other: 'bob@x.org' },
  })
  const { email, attributes } = invented as { email: string; attributes: { email: string; other: string } }
  expect(attributes.email).toBe(email)
  expect(attributes.other).not.toBe(email)
})

test('the trigger, the survey, nulls and the kinds of answers stay', () => {
  const data = {
    nps: '3',
    seats: '4711',
    since: '2019-04-05',
    at: '2019-04-05 06:07:08',
    list: ['a', 'b'],
    none: null,
  }
  const invented = inventedBody(withResponse({ data }, { cookie_uuid: null }) as JsonObject)
  expect(invented).toMatchObject({
    triggered_event: 'Completed Survey',
    form: { name: 'Customer Churn Survey' },
    cookie_uuid: null,
    remote_id: 'user-1',
    account: { remote_id: 'account-1' },
    response: {
      data: {
        nps: '9',
        seats: '1234',
        since: expect.stringMatching(/^\d{4}-\d\d-\d\d$/),
        at: expect.stringMatching(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/),
        list: ['Choice 1', 'Choice 2'],
        none: null,
      },
    },
  })
})

test('moments of Refiner keep their distance and their form', () => {
  const body = completedSurvey() as { response: Record<string, string> }
  const { response } = inventedBody(body) as { response: Record<string, string> }
  const distance = (of: Record<string, string>) =>
    Date.parse(of['completed_at']!) - Date.parse(of['first_data_reception_at']!)
  expect(distance(response)).toBe(distance(body.response))
  expect(response['completed_at']).toMatch(/^2025-.*\.\d{6}Z$/)
})

test('a name that is an ID is invented, too', () => {
  const invented = inventedBody({ attributes: { 'abcdefab-cdef-abcd-efab-cdefabcdefab': true } })
  expect(invented).toEqual({ attributes: { field_1: true } })
})
