import { expect, test } from 'bun:test'
import fc from 'fast-check'
import type { NewDelivery } from '../../src/contracts/delivery.ts'
import { isNestedDeeperThan } from '../../src/json/nesting.ts'
import { readSegmentBody } from '../../src/intake/segment-body.ts'
import { Refusal } from '../../src/intake/refusal.ts'
import { isUnfinished, type Item, mapItem } from '../../src/mapping/map-item.ts'
import { compileMapping } from '../../src/mapping/tenant-mapping.ts'
import { completedSurvey, withResponse } from '../fixtures/refiner-webhook.ts'
import { testTenant } from '../support/configuration.ts'

/** Whatever intake lets through is mapped without a throw, to deliveries that can be sent and told apart. */
const events = { completed: 'C', seen: 'S', dismissed: 'D', segment_entered: 'E', tag_added: 'T' }
const mappings = [
  testTenant('acme', {
    toSegment: { events, userAttributes: true, questionEvent: 'Q' },
    toRefiner: { pages: true },
  }),
  testTenant('email', { toSegment: { events, anonymous: 'email', traitPrefix: '' } }),
  testTenant('anonymous', { toSegment: { anonymous: 'anonymous_id' } }),
].map((tenant) => compileMapping(tenant))

const NAMES = (
  'uuid remote_id email cookie_uuid attributes account segments segment triggered_event form response data tags name ' +
  'completed_at dismissed_at last_shown_at received_at __proto__ constructor toString length id nps userId traits ' +
  'properties context'
).split(' ')
const WORDS = [
  'Completed Survey',
  'Saw Survey',
  'Dismissed Survey',
  'Entered Segment',
  'Added Tag',
  '2022-10-14T07:58:55.000000Z',
  '2022-10-14 07:58:55',
  '0000-00-00 00:00:00',
  '9999-12-31T23:59:60Z',
  '9',
  '',
  ' ',
  '\0',
  '\ud800',
  '\udc00\ud800',
]
const { json } = fc.letrec<{ json: unknown }>((tie) => ({
  json: fc.oneof(
    { depthSize: 'medium' },
    fc.constantFrom<unknown>(...WORDS, null, true, false, 0, -0, 1e308, 2 ** 53, -1.5e-300),
    fc.string({ unit: 'binary', maxLength: 10 }),
    fc.array(tie('json'), { maxLength: 4 }),
    fc.dictionary(
      fc.oneof(fc.constantFrom(...NAMES), fc.string({ unit: 'binary', maxLength: 5 })),
      tie('json'),
      { maxKeys: 6 },
    ),
  ),
}))
const over = fc.dictionary(fc.constantFrom(...NAMES), json, { maxKeys: 5 })
const webhook = fc.oneof(
  over.map((fields) => completedSurvey(fields)),
  over.map((fields) => withResponse(fields)),
  over,
)
const segmentMessage = fc
  .tuple(fc.constantFrom('identify', 'track', 'group', 'page', 'screen', 'delete'), over, json, json)
  .map(([type, fields, traits, properties]) => {
    return { type, userId: 'u', groupId: 'g', event: 'e', messageId: 'm', traits, properties, ...fields }
  })

const RECEIVED_AT = Date.UTC(2024, 0, 1)
const SEGMENT_MOST_BYTES = 32 * 1024

function deliveriesOf(item: Item): readonly NewDelivery[][] {
  return mappings.map((mapping) => {
    const mapped = mapItem(item, mapping)
    if (isUnfinished(mapped)) throw new Error('there are no plugins here')
    return [...mapped.deliveries]
  })
}

function expectSound(delivery: NewDelivery): void {
  const { payload, state, reason, userKey, messageId, destination } = delivery
  // Else a bug of the mapping: the only reasons for which an item may fail as a whole.
  if (reason?.startsWith('mapping it failed')) expect(reason).toContain('traits')
  expect(userKey.isWellFormed() && !userKey.includes('\0')).toBe(true)
  expect(messageId.isWellFormed() && !messageId.includes('\0')).toBe(true)
  expect(messageId).not.toBe('')
  expect((reason === null) === (state === 'pending')).toBe(true)
  if (state !== 'pending') return
  expect(payload).not.toBeNull()
  const sent = JSON.parse(payload!) as Record<string, unknown>
  expect(payload!.isWellFormed()).toBe(true)
  expect(isNestedDeeperThan(payload!, 66)).toBe(false)
  if (destination === 'refiner') {
    expect(sent['id']).toBe(userKey)
    return
  }
  expect(Buffer.byteLength(payload!)).toBeLessThanOrEqual(SEGMENT_MOST_BYTES)
  expect(sent['messageId']).toBe(messageId)
  expect(messageId.length).toBeLessThan(100)
  expect(sent['userId'] ?? sent['anonymousId']).toBe(userKey)
}

function expectMapped(payload: string, source: Item['source']): void {
  const item = { id: 1, source, payload, receivedAt: RECEIVED_AT }
  const first = deliveriesOf(item)
  for (const deliveries of first) {
    expect(deliveries.length).toBeGreaterThan(0)
    deliveries.forEach(expectSound)
    const names = deliveries.map(({ destination, messageId }) => `${destination} ${messageId}`)
    expect(new Set(names).size).toBe(names.length)
  }
  // The same item becomes the same messages, whenever it is mapped again.
  expect(deliveriesOf({ ...item })).toEqual(first as NewDelivery[][])
}

/** What once failed. */
const KNOWN: Record<string, unknown>[] = [
  // The key of a user went into the database as other text than it was.
  completedSurvey({ uuid: '\udc00\ud800', remote_id: {} }),
  completedSurvey({ remote_id: '\0' }),
]

const numRuns = Number(process.env['FUZZ_RUNS'] ?? 1500)

test('every webhook is mapped to deliveries that can be sent', () => {
  fc.assert(
    fc.property(webhook, (body) => expectMapped(JSON.stringify(body), 'refiner_webhook')),
    { numRuns, examples: KNOWN.map((body): [Record<string, unknown>] => [body]) },
  )
}, 600_000)

test('every message that intake takes is mapped to deliveries that can be sent', () => {
  fc.assert(
    fc.property(segmentMessage, (raw) => {
      const body = readSegmentBody(JSON.parse(JSON.stringify(raw)), null, true)
      if (body instanceof Refusal) return
      for (const message of body.messages) expectMapped(JSON.stringify(message), 'segment')
    }),
    { numRuns },
  )
}, 600_000)
