import { expect, test } from 'bun:test'
import fc from 'fast-check'
import type { JsonObject } from '../../src/contracts/json.ts'
import { webhookBodiesOf, webhookBodyOf } from '../../src/intake/response-item.ts'
import { completedSurvey } from '../fixtures/refiner-webhook.ts'
import { testTenant } from '../support/configuration.ts'
import { pastItem, pastWebhook } from '../support/history.ts'
import { mapped } from '../support/mapping.ts'

const MOMENTS = ['first_shown_at', 'last_shown_at', 'last_data_reception_at', 'completed_at', 'dismissed_at']

const events = {
  completed: 'Completed Survey',
  seen: 'Saw Survey',
  dismissed: 'Dismissed Survey',
  segment_entered: null,
  tag_added: null,
}
const tenant = testTenant('acme', { toSegment: { events, anonymous: 'anonymous_id' } })

const name = fc.string({ minLength: 1, maxLength: 8 })
const answer = fc.oneof(
  fc.string(),
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
  fc.array(fc.string(), { maxLength: 3 }),
)
const moment = fc
  .date({ min: new Date('2020-01-01'), max: new Date('2030-01-01'), noInvalidDate: true })
  .map((date) => date.toISOString().replace('Z', '417Z'))

const webhook = fc.record({
  kind: fc.constantFrom('Completed Survey', 'Saw Survey', 'Dismissed Survey'),
  userId: fc.option(name),
  email: fc.option(fc.emailAddress()),
  accountId: fc.option(name),
  answers: fc.dictionary(name, answer, { maxKeys: 5 }),
  tags: fc.array(name, { maxLength: 2 }),
  moments: fc.tuple(...MOMENTS.map(() => moment)),
})

type Random = typeof webhook extends fc.Arbitrary<infer Value> ? Value : never

/** A webhook, and the response as Refiner's API lists it: other moments' form, numbers as text, the contact inside. */
function bothWays({ kind, userId, email, accountId, answers, tags, moments }: Random) {
  const at = Object.fromEntries(MOMENTS.map((field, index) => [field, moments[index]!]))
  const inApi = Object.entries(at).map(([field, iso]) => [field, iso.slice(0, 19).replace('T', ' ')])
  const asText = Object.entries(answers).map(([key, value]) => [
    key,
    typeof value === 'number' ? String(value) : value,
  ])
  const contact = { uuid: 'contact', remote_id: userId, email, account: { remote_id: accountId } }
  const form = completedSurvey()['form']
  const own = { uuid: 'response', tags }
  const body = completedSurvey({
    ...contact,
    triggered_event: kind,
    response: { ...own, ...at, data: answers },
  })
  const data = Object.fromEntries(asText.toReversed())
  const item = { ...own, ...Object.fromEntries(inApi), data, form, contact } as JsonObject
  return { kind, body, item }
}

function messagesOf(body: unknown) {
  const row = { id: 1, tenant: 'acme', source: 'refiner_webhook', receivedAt: 0, peopleKept: 0 } as const
  return mapped({ ...row, payload: JSON.stringify(body) }, tenant).deliveries
}

/** Whole seconds, and numbers as text: as much as the API tells. */
const comparable = (payload: string | null) =>
  JSON.parse((payload ?? 'null').replace(/(\d\d:\d\d:\d\d)\.\d{3}Z/g, '$1Z'), (_, value: unknown) =>
    typeof value === 'number' ? String(value) : value,
  ) as unknown

test('a response of the API leads to the messages of its webhook, under the same IDs', () => {
  fc.assert(
    fc.property(webhook, (random) => {
      const { kind, body, item } = bothWays(random)
      const [sent, polled] = [messagesOf(body), messagesOf(webhookBodyOf(item, kind))]
      expect(polled.map(({ messageId }) => messageId)).toEqual(sent.map(({ messageId }) => messageId))
      expect(polled.map(({ payload }) => comparable(payload))).toEqual(
        sent.map(({ payload }) => comparable(payload)),
      )
    }),
    { numRuns: 300 },
  )
})

test('a recorded webhook and its response in the API lead to the same', () => {
  const [sent, polled] = [
    messagesOf(pastWebhook(7)),
    messagesOf(webhookBodyOf(pastItem(7) as JsonObject, 'Completed Survey')),
  ]
  expect(sent).toHaveLength(3)
  expect(polled.map(({ messageId }) => messageId)).toEqual(sent.map(({ messageId }) => messageId))
})

const response = (over: object): JsonObject => ({
  uuid: 'r',
  data: { a: 'b' },
  contact: {},
  form: {},
  ...over,
})
const ALL = new Set(['completed', 'seen', 'dismissed'] as const)
const triggers = (item: JsonObject) => webhookBodiesOf(item, ALL).map((body) => body['triggered_event'])

test('a response tells of all that happened with it, but not of a dismissal whose answers changed after it', () => {
  const shown = '2024-05-01 12:00:00'
  const gone = { last_shown_at: shown, dismissed_at: '2024-05-01 12:01:00' }
  expect(triggers(response(gone))).toEqual(['Saw Survey', 'Dismissed Survey'])
  expect(triggers(response({ ...gone, last_data_reception_at: '2024-05-01T12:01:00.900000Z' }))).toEqual([
    'Saw Survey',
    'Dismissed Survey',
  ])
  expect(triggers(response({ ...gone, last_data_reception_at: '2024-05-02 08:00:00' }))).toEqual([
    'Saw Survey',
  ])
  expect(triggers(response({ ...gone, completed_at: '2024-05-02 08:00:00' }))).toEqual([
    'Saw Survey',
    'Completed Survey',
  ])
  expect(triggers(response({}))).toEqual([])
})

test('a moment that is empty is none', () => {
  const item = { uuid: 'r', last_shown_at: '2024-05-01 12:00:00', completed_at: '', dismissed_at: false }
  const bodies = webhookBodiesOf(item, new Set(['seen', 'dismissed', 'completed']))
  expect(bodies.map((body) => body['triggered_event'])).toEqual(['Saw Survey'])
})
