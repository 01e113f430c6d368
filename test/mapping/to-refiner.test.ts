import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import type { ToRefinerSettings } from '../../src/contracts/configuration.ts'
import type { JsonObject } from '../../src/contracts/json.ts'
import { flatten } from '../../src/mapping/flatten.ts'
import { completedSurvey } from '../fixtures/refiner-webhook.ts'
import { testTenant } from '../support/configuration.ts'
import { mapped as mapItem } from '../support/mapping.ts'

function map(message: Record<string, unknown>, settings: Partial<ToRefinerSettings> = {}) {
  const payload = JSON.stringify({ messageId: 'm-1', userId: 'user-1', ...message })
  const mapped = mapItem(
    { id: 1, source: 'segment', payload, receivedAt: 0 },
    testTenant('acme', { toRefiner: settings }),
  )
  const [delivery] = mapped.deliveries
  return {
    ...mapped,
    delivery: delivery!,
    body: delivery!.payload === null ? null : (JSON.parse(delivery!.payload) as JsonObject),
  }
}

describe('an identify', () => {
  test('carries the user ID as id, the email, and every trait on one level', () => {
    const traits = {
      email: 'ada@example.com',
      plan: 'pro',
      zero: 0,
      no: false,
      gone: null,
      born: '1815-12-10T00:00:00.000Z',
      address: { city: 'London', geo: { lat: 51.5 } },
      tags: ['a', 'b', 1],
      list: [{ a: 1 }],
    }
    expect(map({ type: 'identify', traits }).body).toEqual({
      id: 'user-1',
      email: 'ada@example.com',
      plan: 'pro',
      zero: 0,
      no: false,
      gone: null,
      born: '1815-12-10T00:00:00.000Z',
      address_city: 'London',
      address_geo_lat: 51.5,
      tags: 'a, b, 1',
      list: '[{"a":1}]',
    })
  })

  test('with a trait that Refiner would take for a parameter cannot change whom the call speaks of', () => {
    const traits = { id: 'someone-else', account: 'x', api_key: 'stolen' }
    expect(map({ type: 'identify', traits }).body).toEqual({
      id: 'user-1',
      traits_id: 'someone-else',
      traits_account: 'x',
      traits_api_key: 'stolen',
    })
  })

  test('that repeats the user ID as a trait sends it once', () => {
    expect(map({ type: 'identify', traits: { id: 'user-1' } }).body).toEqual({ id: 'user-1' })
  })
})

test('a group carries the account with its own id', () => {
  const traits = { name: 'Acme', id: 'account-9', address: { city: 'Paris' } }
  expect(map({ type: 'group', groupId: 'account-7', traits }).body).toEqual({
    id: 'user-1',
    account: { id: 'account-7', name: 'Acme', address_city: 'Paris', traits_id: 'account-9' },
  })
})

test('a track carries the event name only', () => {
  const message = { type: 'track', event: 'Clicked', properties: { button: 'x' } }
  expect(map(message).body).toEqual({ id: 'user-1', event: 'Clicked' })
})

test.each([
  [{ type: 'page', name: 'Pricing' }, 'Viewed Pricing Page'],
  [{ type: 'page' }, 'Viewed Page'],
  [{ type: 'screen', name: 'Home' }, 'Viewed Home Screen'],
])('a page or screen, where they are taken, counts as the event of its name: %j', (message, event) => {
  expect(map(message, { pages: true }).body).toEqual({ id: 'user-1', event })
})

describe('what is left out is skipped, with the reason', () => {
  test.each([
    [
      'an event',
      { type: 'track', event: 'Debug x' },
      { events: { include: ['*'], exclude: ['Debug *'] } },
      'events',
    ],
    [
      'a call',
      { type: 'group', groupId: 'g' },
      { calls: new Set(['identify'] as const) },
      'to_refiner.calls',
    ],
    ['a deletion', { type: 'delete' }, {}, 'somebody is to be forgotten'],
  ])('%s', (_, message, settings, reason) => {
    const { delivery } = map(message, settings)
    expect(delivery).toMatchObject({
      state: 'skipped',
      payload: null,
      reason: expect.stringContaining(reason),
    })
  })
})

describe('a message of our own that Segment sends back', () => {
  const [identify] = mapItem(
    { id: 1, source: 'refiner_webhook', payload: JSON.stringify(completedSurvey()), receivedAt: 0 },
    testTenant('acme'),
  ).deliveries
  const own = JSON.parse(identify!.payload!) as Record<string, unknown>

  test.each([
    ['whole', own],
    ['with nothing left of it but its ID', { type: 'identify', userId: 'u', messageId: own['messageId'] }],
    ['under another ID', { ...own, messageId: 'other' }],
  ])('is known, %s, and changes nothing', (_, message) => {
    const { delivery, people } = map(message)
    expect(delivery).toMatchObject({
      state: 'skipped',
      reason: expect.stringContaining('refiner-sync itself'),
    })
    expect(people).toEqual([])
  })
})

test('traits that would grow without bounds when flattened are given up, with the reason', () => {
  const leaves = Object.fromEntries(Array.from({ length: 2000 }, (_, n) => [`leaf-${n}`, n]))
  const { delivery } = map({ type: 'identify', traits: { ['k'.repeat(100_000)]: leaves } })
  expect(delivery).toMatchObject({ state: 'dead', call: 'all', reason: expect.stringContaining('over 1 MB') })
})

describe('flattening', () => {
  const trait: fc.Arbitrary<JsonObject> = fc
    .dictionary(fc.string(), fc.jsonValue({ maxDepth: 4 }), { noNullPrototype: true })
    .map((value) => JSON.parse(JSON.stringify(value)) as JsonObject)

  test('leaves no object and no list, and never fails', () => {
    fc.assert(
      fc.property(trait, (traits) => {
        for (const value of Object.values(flatten(traits)))
          expect(typeof value === 'object' && value !== null).toBe(false)
      }),
    )
  })

  test('changes nothing that is flat already', () => {
    fc.assert(
      fc.property(trait, (traits) => {
        expect(flatten(flatten(traits))).toEqual(flatten(traits))
      }),
    )
  })

  test('lets a trait that is flat win over one that would get its name', () => {
    expect(flatten({ address_city: 'A', address: { city: 'B' } })).toEqual({ address_city: 'A' })
    expect(flatten({ address: { city: 'B' }, address_city: 'A' })).toEqual({ address_city: 'A' })
  })
})
