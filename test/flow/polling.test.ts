import { expect, test } from 'bun:test'
import { deadline, until } from '../support/loop.ts'
import {
  EVERY,
  ids,
  knownBy,
  MINUTE,
  polled,
  polling,
  postWebhook,
  response,
  START,
  startPolled,
} from '../support/polling.ts'

test('a response whose webhook never came is fetched and sent once, and the webhook is said to be missing', async () => {
  const lost = response('lost', MINUTE)
  await using loop = await startPolled((clock) => ({ refiner: knownBy(clock, [lost.item]) }))
  const { clock } = loop
  expect(polling(loop)).toEqual({
    last_success: null,
    last_error: null,
    missed_by_webhook: 0,
    last_missed: null,
  })
  clock.pass(EVERY)
  await loop.segment.until((messages) => messages.length === 2, deadline())
  await polled(loop, null)
  for (let n = 0; n < 3; n++) {
    const before = polling(loop).last_success
    clock.pass(EVERY)
    await polled(loop, before)
  }
  expect(loop.segment.messages.map(({ message }) => message['type'])).toEqual(['identify', 'track'])
  expect(loop.segment.messages[1]!.message).toMatchObject({
    userId: 'ada',
    timestamp: new Date(START + MINUTE).toISOString(),
    properties: { response_uuid: 'lost', comment: 'lost' },
  })
  expect(polling(loop).missed_by_webhook).toBe(1)
  expect(loop.daemon.health().problems.join()).toContain('that no webhook had brought')
})

test('what a webhook brought is not sent again, and what polling brought neither when its webhook comes late', async () => {
  const first = response('first', MINUTE)
  const second = response('second', 2 * MINUTE, 'grace')
  await using loop = await startPolled((clock) => ({ refiner: knownBy(clock, [first.item, second.item]) }))
  const { clock } = loop
  await postWebhook(loop, first.webhook)
  await loop.segment.until((messages) => messages.length === 2, deadline())
  clock.pass(EVERY)
  await loop.segment.until((messages) => messages.length === 4, deadline())
  await polled(loop, null)
  await postWebhook(loop, second.webhook)
  await until(() => loop.daemon.health().tenants['acme']!.pending === 0)
  expect(new Set(ids(loop)).size).toBe(4)
  expect(ids(loop)).toHaveLength(4)
  expect(polling(loop).missed_by_webhook).toBe(0)
})

test('pages are read to the last one, over refusals and nonsense, and what fails is said', async () => {
  const items = Array.from(
    { length: 250 },
    (_, n) => response(`r-${n}`, MINUTE + n * 100, `user-${n % 7}`).item,
  )
  const faults: (Response | null)[] = [
    new Response('', { status: 429, headers: { 'retry-after': '60' } }),
    new Response('', { status: 500 }),
    Response.json({ error: 'no' }),
    Response.json({ items: [1] }),
    new Response('<html>', { headers: { 'content-type': 'text/html' } }),
    null,
    new Response('{"items": [', { status: 200 }),
  ]
  await using loop = await startPolled((clock) => ({
    refiner: knownBy(clock, items, { fault: () => Promise.resolve(faults.shift() ?? null) }),
  }))
  const { clock } = loop
  clock.pass(EVERY)
  await until(() => polling(loop).last_error !== null)
  expect(loop.daemon.health().problems.join()).toContain('acme: polling Refiner fails: 127.0.0.1')
  await until(() => {
    clock.pass(MINUTE)
    return polling(loop).last_success !== null
  })
  await loop.segment.until((messages) => messages.length === 500, deadline())
  await until(() => loop.daemon.health().tenants['acme']!.pending === 0)
  expect(new Set(ids(loop)).size).toBe(500)
  expect(loop.segment.messages).toHaveLength(500)
})

test('the place is kept across a restart: what happened meanwhile is fetched, and nothing twice', async () => {
  const before = response('before', MINUTE)
  const meanwhile = response('meanwhile', 60 * MINUTE)
  await using loop = await startPolled((clock) => ({
    refiner: knownBy(clock, [before.item, meanwhile.item]),
  }))
  const { clock } = loop
  clock.pass(EVERY)
  await loop.segment.until((messages) => messages.length === 2, deadline())
  await polled(loop, null)
  const last = polling(loop).last_success
  clock.shift(3 * 3_600_000)
  await loop.restart()
  clock.pass(1)
  await polled(loop, last)
  await loop.segment.until((messages) => messages.length === 4, deadline())
  expect(new Set(ids(loop)).size).toBe(4)
  expect(polling(loop).missed_by_webhook).toBe(2)
})

test('surveys that were seen or dismissed are fetched when they have an event, each once, for its own tenant', async () => {
  const seen = response('seen', MINUTE).item
  const shown = { ...seen, completed_at: null, last_data_reception_at: null, data: {} }
  const events = {
    completed: 'Completed Survey',
    seen: 'Saw Survey',
    dismissed: 'Dismissed Survey',
    segment_entered: null,
    tag_added: null,
  }
  const dismissed = { ...shown, uuid: 'gone', dismissed_at: seen.completed_at }
  const page = (items: readonly unknown[]) =>
    Response.json({ items, pagination: { items_count: items.length, next_page_cursor: null } })
  await using loop = await startPolled((clock) => ({
    tenants: {
      acme: { refiner: { pollMs: EVERY }, toSegment: { events } },
      globex: { refiner: { pollMs: EVERY } },
    },
    refiner({ method, headers }) {
      if (method !== 'GET') return null
      const isAcmes = headers.get('authorization') === 'Bearer acme-refiner-key'
      return page(isAcmes && clock.now() > START + MINUTE ? [shown, dismissed] : [])
    },
  }))
  const { clock } = loop
  clock.pass(EVERY)
  await loop.segment.until((messages) => messages.length === 3, deadline())
  await until(() => polling(loop, 'globex').last_success !== null && polling(loop).last_success !== null)
  expect(loop.segment.messages.map(({ message }) => String(message['event'])).sort()).toEqual([
    'Dismissed Survey',
    'Saw Survey',
    'Saw Survey',
  ])
  expect(loop.segment.messages.every(({ writeKey }) => writeKey === 'acme-write-key')).toBe(true)
  expect(polling(loop, 'globex').missed_by_webhook).toBe(0)
})

test('what was before the first poll stays there, also when the last days are read again', async () => {
  const old = response('old', -MINUTE)
  const fresh = response('fresh', MINUTE)
  // An account that lists by another moment than the one that counts.
  const page = (items: readonly unknown[]) => Response.json({ items, pagination: { next_page_cursor: null } })
  await using loop = await startPolled((clock) => ({
    refiner: ({ method }) =>
      method === 'GET' ? page(clock.now() > START + MINUTE ? [old.item, fresh.item] : [old.item]) : null,
  }))
  const { clock } = loop
  for (let n = 0; n < 4; n++) {
    const before = polling(loop).last_success
    clock.pass(EVERY)
    await polled(loop, before)
    clock.shift(7 * 3_600_000)
  }
  await loop.segment.until((messages) => messages.length === 2, deadline())
  expect(polling(loop).missed_by_webhook).toBe(1)
  const responses = loop.segment.messages.map(({ message }) => JSON.stringify(message))
  expect(responses.some((message) => message.includes('"old"'))).toBe(false)
})

test('a poll goes on with the page that was refused, and one that a stop broke off begins again', async () => {
  const items = Array.from(
    { length: 250 },
    (_, n) => response(`r-${n}`, MINUTE + n * 100, `user-${n % 7}`).item,
  )
  const cursors: (string | null)[] = []
  let second: 'refuse' | 'hang' | null = 'refuse'
  await using loop = await startPolled((clock) => ({
    refiner(request) {
      if (request.method !== 'GET') return null
      const cursor = request.query.get('page_cursor')
      cursors.push(cursor)
      if (cursor === '100' && second === 'refuse') {
        second = null
        return new Response('', { status: 429, headers: { 'retry-after': '1' } })
      }
      return cursor === '200' && second === 'hang' ? 'hang' : knownBy(clock, items)(request)
    },
  }))
  const { clock } = loop
  clock.pass(EVERY)
  await until(() => {
    clock.pass(1000)
    return polling(loop).last_success !== null
  })
  expect(cursors.slice(0, 4)).toEqual([null, '100', '100', '200'])

  second = 'hang'
  cursors.length = 0
  clock.pass(EVERY)
  await until(() => cursors.includes('200'))
  await loop.restart()
  second = null
  const before = polling(loop).last_success
  clock.pass(EVERY)
  await polled(loop, before)
  await loop.segment.until((messages) => messages.length === 500, deadline())
  expect(new Set(ids(loop)).size).toBe(500)
  expect(cursors.filter((cursor) => cursor === null).length).toBeGreaterThan(1)
})

test('an account that counts its pages is read to the last one', async () => {
  const items = Array.from({ length: 250 }, (_, n) => response(`r-${n}`, MINUTE + n * 100).item)
  await using loop = await startPolled((clock) => ({
    refiner({ method, query }) {
      if (method !== 'GET') return null
      const page = Number(query.get('page') ?? 1)
      const from = (page - 1) * 100
      return Response.json({
        items: clock.now() > START + 2 * MINUTE ? items.slice(from, from + 100) : [],
        pagination: { current_page: page, last_page: 3, next_page_cursor: null },
      })
    },
  }))
  const { clock } = loop
  clock.pass(EVERY)
  await polled(loop, null)
  expect(polling(loop).missed_by_webhook).toBe(250)
})
