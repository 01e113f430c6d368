import { expect, test } from 'bun:test'
import { Database } from 'bun:sqlite'
import { Analytics } from '@segment/analytics-node'
import { basic, deadline, startLoop, until } from '../support/loop.ts'

test("Segment's own client, but for its host unchanged, reaches Refiner; its page is refused, and nothing else", async () => {
  await using loop = await startLoop()
  const analytics = new Analytics({
    writeKey: 'acme-destination-key',
    host: loop.daemon.url,
    maxRetries: 0,
    disable: false,
  })
  analytics.identify({ userId: 'user-1', traits: { email: 'ada@example.com', address: { city: 'London' } } })
  analytics.group({ userId: 'user-1', groupId: 'account-7', traits: { name: 'Acme' } })
  analytics.page({ userId: 'user-1', name: 'Pricing' })
  analytics.track({ userId: 'user-1', event: 'Clicked', properties: { button: 'buy' } })
  await analytics.closeAndFlush({ timeout: 5000 })
  await loop.refiner.until((calls) => calls.length === 3, deadline())
  expect(loop.refiner.calls.map(({ path, body, apiKey }) => ({ path, body, apiKey }))).toEqual([
    {
      path: '/v1/identify-user',
      body: { id: 'user-1', email: 'ada@example.com', address_city: 'London' },
      apiKey: 'acme-refiner-key',
    },
    {
      path: '/v1/identify-user',
      body: { id: 'user-1', account: { id: 'account-7', name: 'Acme' } },
      apiKey: 'acme-refiner-key',
    },
    { path: '/v1/track-event', body: { id: 'user-1', event: 'Clicked' }, apiKey: 'acme-refiner-key' },
  ])
  expect(loop.segment.requests).toBe(0)
})

test('a lone page from the client is answered 501, with what to change', async () => {
  await using loop = await startLoop()
  const page = { type: 'page', userId: 'user-1', name: 'Pricing', messageId: 'p-1' }
  const response = await loop.post('/v1/batch', { batch: [page] }, basic('acme-destination-key'))
  expect(response.status).toBe(501)
  expect(((await response.json()) as { message: string }).message).toContain('Turn page off')
})

test('users, accounts and events are kept: traits merged, events counted with their first and last time', async () => {
  await using loop = await startLoop()
  const key = basic('acme-destination-key')
  const user = { userId: 'user-1' }
  const at = (day: number) => ({ timestamp: `2024-05-0${day}T00:00:00.000Z` })
  await loop.post('/v1/segment', { type: 'identify', ...user, traits: { plan: 'free', seats: 1 } }, key)
  await loop.post(
    '/v1/segment',
    { type: 'identify', ...user, traits: { plan: 'pro', email: 'a@example.com' } },
    key,
  )
  await loop.post('/v1/segment', { type: 'group', ...user, groupId: 'g', traits: { name: 'Acme' } }, key)
  for (const day of [2, 3, 1]) {
    await loop.post('/v1/segment', { type: 'track', ...user, event: 'Clicked', ...at(day) }, key)
  }
  await loop.refiner.until((calls) => calls.length === 6, deadline())
  using db = new Database(loop.configuration.database.path, { readonly: true })
  expect(db.query('select email, traits from users').all()).toEqual([
    { email: 'a@example.com', traits: '{"plan":"pro","seats":1,"email":"a@example.com"}' },
  ])
  expect(db.query('select account_id, traits from accounts').all()).toEqual([
    { account_id: 'g', traits: '{"name":"Acme"}' },
  ])
  expect(db.query('select name, count, first_at, last_at from user_events').all()).toEqual([
    { name: 'Clicked', count: 3, first_at: Date.parse('2024-05-01'), last_at: Date.parse('2024-05-03') },
  ])
})

test('the key that came with a body is not kept', async () => {
  await using loop = await startLoop()
  const message = { userId: 'user-1', writeKey: 'acme-destination-key', messageId: 'k-1' }
  await loop.post('/v1/identify', message)
  await loop.refiner.until((calls) => calls.length === 1, deadline())
  using db = new Database(loop.configuration.database.path, { readonly: true })
  expect(JSON.stringify(db.query('select * from inbox').all())).not.toContain('acme-destination-key')
  expect(JSON.stringify(loop.refiner.calls[0]!.body)).toBe('{"id":"user-1"}')
})

test('a message with nothing in it that was foreseen is stored as it is and reaches Refiner', async () => {
  await using loop = await startLoop()
  const text =
    '{"type":"identify","userId":9007199254740993,"messageId":"\\u0000odd","traits":{"__proto__":{"a":1},"constructor":"x",' +
    '"n":1,"n":12345678901234567890,"huge":1e400,"half":"\\ud800","":"empty"},"odd":[]}'
  expect((await loop.post('/v1/segment', text, basic('acme-destination-key'))).status).toBe(200)
  await loop.refiner.until((calls) => calls.length === 1, deadline())
  expect(loop.refiner.calls[0]!.body).toMatchObject({
    id: '9007199254740993',
    constructor: 'x',
    '': 'empty',
    n: '12345678901234567890',
    huge: null,
    half: '\ud800',
  })
  expect(JSON.stringify(loop.refiner.calls[0]!.body)).toContain('__proto___a')
})

test('a message ID of a sender cannot stand for an item that could not be mapped', async () => {
  await using loop = await startLoop()
  const key = basic('acme-destination-key')
  await loop.post('/v1/segment', { type: 'track', userId: 'u', event: 'e', messageId: 'inbox-2' }, key)
  // On one level, their names would come to more than a megabyte.
  const traits = {
    ['n'.repeat(10_000)]: Object.fromEntries(Array.from({ length: 120 }, (_, n) => [`t${n}`, n])),
  }
  await loop.post('/v1/segment', { type: 'identify', userId: 'u', messageId: 'm', traits }, key)
  await until(() => loop.daemon.health().tenants['acme']!.dead === 1)
  expect(loop.refiner.calls.map(({ body }) => body)).toEqual([{ id: 'u', event: 'e' }])
})

test('the same body at the routes of three types is three messages', async () => {
  await using loop = await startLoop()
  const body = { userId: 'u', event: 'e', groupId: 'g', timestamp: '2024-05-01T00:00:00.000Z' }
  for (const type of ['identify', 'group', 'track', 'track']) {
    expect((await loop.post(`/v1/${type}`, body, basic('acme-destination-key'))).status).toBe(200)
  }
  await loop.refiner.until((calls) => calls.length === 3, deadline())
  await until(() => loop.daemon.health().tenants['acme']!.pending === 0)
  expect(loop.refiner.calls).toHaveLength(3)
})
