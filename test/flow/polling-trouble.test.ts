import { expect, test } from 'bun:test'
import { Database } from 'bun:sqlite'
import { momentsByUser } from '../support/backfill.ts'
import { history } from '../support/history.ts'
import { deadline, keptLog, type Loop, until } from '../support/loop.ts'
import {
  EVERY,
  ids,
  knownBy,
  MINUTE,
  nextPoll,
  polled,
  polling,
  postWebhook,
  response,
  settled,
  START,
  startPolled,
} from '../support/polling.ts'

const some = (count: number) => Array.from({ length: count }, (_, n) => n)
const DAY = 86_400_000

function responsesAtSegment(loop: Loop): Set<string> {
  return new Set(
    loop.segment.messages.flatMap(({ message }) => {
      const uuid = (message['properties'] as Record<string, unknown> | undefined)?.['response_uuid']
      return typeof uuid === 'string' ? [uuid] : []
    }),
  )
}

/** A page as Refiner answers it. */
const page = (items: readonly unknown[], pagination: object = { next_page_cursor: null }) =>
  Response.json({ items, pagination })

test('what was missed reaches Segment in the order in which it happened, over all pages', async () => {
  const items = some(250).map((n) => response(`r-${n}`, MINUTE + n * 1000, `user-${n % 2}`).item)
  await using loop = await startPolled((clock) => ({ refiner: knownBy(clock, items) }))
  loop.clock.pass(3 * EVERY)
  await polled(loop, null)
  await settled(loop)
  for (const moments of momentsByUser(loop.segment.delivered)) expect(moments).toEqual(moments.toSorted())
  expect(responsesAtSegment(loop).size).toBe(250)
})

test('pages that lead in a circle are no end: the place stays, and what is wrong is said', async () => {
  const items = some(250).map((n) => response(`r-${n}`, MINUTE + n * 100).item)
  let isBroken = true
  await using loop = await startPolled((clock) => ({
    refiner(request) {
      if (request.method !== 'GET' || !isBroken) return knownBy(clock, items)(request)
      // The first and the second page name each other.
      const from = request.query.get('page_cursor') === 'second' ? 100 : 0
      const next_page_cursor = from === 0 ? 'second' : 'first'
      return page(items.slice(from, from + 100), { items_count: 250, next_page_cursor })
    },
  }))
  loop.clock.pass(EVERY)
  await until(() => polling(loop).last_error !== null)
  expect(polling(loop).last_error!.message).toContain('a page that it gave before')
  expect(polling(loop).last_success).toBe(null)
  isBroken = false
  await until(() => {
    loop.clock.pass(MINUTE)
    return polling(loop).last_success !== null
  })
  await settled(loop)
  expect(responsesAtSegment(loop).size).toBe(250)
})

test('a last page that names itself is the end, and one without responses is not', async () => {
  const items = some(120).map((n) => response(`r-${n}`, MINUTE + n * 100).item)
  await using loop = await startPolled((clock) => ({
    refiner({ method, query }) {
      if (method !== 'GET') return null
      if (clock.now() < START + EVERY) return page([])
      const pagination = (next_page_cursor: string) => ({ items_count: 120, next_page_cursor })
      switch (query.get('page_cursor')) {
        case null:
          return page(items.slice(0, 60), pagination('empty'))
        case 'empty':
          return page([], pagination('last'))
        default:
          return page(items.slice(60), pagination('last'))
      }
    },
  }))
  await nextPoll(loop)
  await settled(loop)
  expect(responsesAtSegment(loop).size).toBe(120)
})

test('responses that move to a page that was read, since others are deleted meanwhile, are found', async () => {
  const items = some(250).map((n) => response(`r-${n}`, MINUTE + n * 100, `user-${n}`).item)
  let left = items
  await using loop = await startPolled((clock) => ({
    refiner(request) {
      // A person whose responses were on the first page is deleted before the second is asked for.
      if (request.query.get('page_cursor') === '100' && left === items) left = items.slice(0, 240)
      return knownBy(clock, left)(request)
    },
  }))
  await nextPoll(loop)
  await settled(loop)
  expect(some(240).filter((n) => !responsesAtSegment(loop).has(`r-${n}`))).toEqual([])
})

test('a contact that is identified later brings the response that was skipped for want of a user ID', async () => {
  const unknown = response('later', MINUTE, null)
  const named = { ...unknown.item, contact: { ...unknown.item.contact, remote_id: 'ada' } }
  let isNamed = false
  await using loop = await startPolled((clock) => ({
    refiner: (request) => knownBy(clock, [isNamed ? named : unknown.item])(request),
  }))
  await postWebhook(loop, unknown.webhook)
  await nextPoll(loop)
  await settled(loop)
  expect(loop.segment.messages).toHaveLength(0)
  isNamed = true
  await nextPoll(loop)
  await loop.segment.until((messages) => messages.length === 2, deadline())
  await nextPoll(loop)
  await settled(loop)
  expect(loop.segment.messages).toHaveLength(2)
  // Its webhook came: there was no user ID to send it under.
  expect(polling(loop).missed_by_webhook).toBe(0)
})

test('who was sent without a user ID is not sent again once there is one', async () => {
  const unknown = response('once', MINUTE, null)
  const named = { ...unknown.item, contact: { ...unknown.item.contact, remote_id: 'ada' } }
  await using loop = await startPolled((clock) => ({
    tenants: { acme: { refiner: { pollMs: EVERY }, toSegment: { anonymous: 'email' } } },
    refiner: (request) => knownBy(clock, [named])(request),
  }))
  await postWebhook(loop, unknown.webhook)
  await settled(loop)
  await nextPoll(loop)
  await settled(loop)
  expect(loop.segment.messages).toHaveLength(2)
})

test('what a late webhook brings after all is not said to be missed', async () => {
  const [late, lost] = [response('late', MINUTE), response('lost', 7 * MINUTE, 'grace')]
  await using loop = await startPolled((clock) => ({ refiner: knownBy(clock, [late.item, lost.item]) }))
  await nextPoll(loop)
  await settled(loop)
  expect(polling(loop)).toMatchObject({ missed_by_webhook: 1 })
  const first = polling(loop).last_missed
  await nextPoll(loop)
  await settled(loop)
  expect(polling(loop)).toMatchObject({ missed_by_webhook: 2 })
  expect(polling(loop).last_missed).not.toBe(first)

  // Refiner tries again what was refused: twice, and each of them is another webhook.
  await postWebhook(loop, lost.webhook)
  await postWebhook(loop, { ...lost.webhook, last_seen_at: '2024-05-01T13:00:00.000000Z' })
  await settled(loop)
  expect(polling(loop)).toMatchObject({ missed_by_webhook: 1, last_missed: first })
  await postWebhook(loop, late.webhook)
  await settled(loop)
  expect(polling(loop)).toMatchObject({ missed_by_webhook: 0, last_missed: null })
  expect(loop.daemon.health().problems).toEqual([])
  expect(new Set(ids(loop)).size).toBe(4)
  expect(ids(loop)).toHaveLength(4)
})

test('polling waits while too much waits for Segment, and loses nothing by it', async () => {
  const items = some(1000).map((n) => response(`r-${n}`, MINUTE + n * 10, `user-${n}`).item)
  let isDown = true
  await using loop = await startPolled((clock) => ({
    maxPending: 50,
    delivery: { giveUpAfterMs: DAY },
    segment: () => (isDown ? new Response('', { status: 503 }) : null),
    refiner: knownBy(clock, items),
  }))
  const stored = () => {
    using sqlite = new Database(loop.configuration.database.path, { readonly: true })
    return sqlite.query<{ count: number }, []>('select count(*) as count from inbox').get()!.count
  }
  await polled(loop, null)
  const before = polling(loop).last_success
  for (const n of some(60)) await postWebhook(loop, response(`live-${n}`, 0).webhook)
  const isFull = () => loop.daemon.health().problems.some((problem) => problem.includes('max_pending'))
  await until(() => {
    loop.clock.pass(100)
    return isFull()
  })
  const { requests } = loop.refiner
  for (const _ of some(10)) {
    loop.clock.pass(MINUTE)
    await fetch(`${loop.daemon.url}/livez`)
  }
  expect(loop.refiner.requests).toBe(requests)
  expect(stored()).toBe(60)
  isDown = false
  await until(() => {
    loop.clock.pass(1000)
    return polling(loop).last_success !== before
  })
  await settled(loop)
  expect(responsesAtSegment(loop).size).toBe(1060)
})

test('how long Refiner asks to wait is kept to over a reload, by whatever reads', async () => {
  let isThrottled = true
  await using loop = await startPolled((clock) => ({
    refiner(request) {
      if (request.method !== 'GET' || !isThrottled) return knownBy(clock, [])(request)
      return new Response('', { status: 429, headers: { 'retry-after': '1800' } })
    },
  }))
  loop.clock.pass(EVERY)
  await until(() => polling(loop).last_error !== null)
  const requests = loop.refiner.requests
  isThrottled = false
  for (const traitPrefix of ['a_', 'b_']) {
    await loop.reload({ tenants: { acme: { refiner: { pollMs: EVERY }, toSegment: { traitPrefix } } } })
    loop.clock.pass(2 * EVERY)
    await until(() => polling(loop).last_error !== null)
  }
  expect(loop.refiner.requests).toBe(requests)
  await until(() => {
    loop.clock.pass(MINUTE)
    return polling(loop).last_success !== null
  })
})

test('a clock that is set back costs nothing', async () => {
  const items = [response('before', MINUTE), response('after', -110 * MINUTE, 'grace')].map(
    ({ item }) => item,
  )
  await using loop = await startPolled((clock) => ({
    tenants: { acme: { refiner: { pollMs: EVERY } } },
    refiner: knownBy(clock, items),
  }))
  // It was two hours ahead from the first start on.
  await nextPoll(loop)
  loop.clock.shift(-2 * 60 * MINUTE)
  await nextPoll(loop)
  await nextPoll(loop)
  await settled(loop)
  expect(responsesAtSegment(loop)).toEqual(new Set(['before', 'after']))
  await loop.restart()
  await nextPoll(loop)
  await settled(loop)
  expect(loop.segment.messages).toHaveLength(4)
})

test('a failure is told although a clock that was ahead wrote down a later success, and its end as well', async () => {
  let isDown = false
  await using loop = await startPolled((clock) => ({
    refiner: (request) =>
      isDown && request.method === 'GET' ? new Response('', { status: 500 }) : knownBy(clock, [])(request),
  }))
  const fails = () => loop.daemon.health().problems.some((problem) => problem.includes('polling Refiner'))
  await nextPoll(loop)
  loop.clock.shift(-DAY)
  isDown = true
  loop.clock.pass(EVERY)
  await until(() => polling(loop).last_error !== null)
  expect(fails()).toBe(true)
  isDown = false
  loop.clock.shift(-60 * MINUTE)
  await nextPoll(loop)
  expect(fails()).toBe(false)
})

test('a reload that changes how often it polls takes effect at once, and loses nothing', async () => {
  const items = [response('first', MINUTE), response('second', 7 * MINUTE, 'grace')].map(({ item }) => item)
  await using loop = await startPolled((clock) => ({
    tenants: { acme: { refiner: { pollMs: 60 * MINUTE } } },
    refiner: knownBy(clock, items),
  }))
  const reload = (pollMs: number | null) => loop.reload({ tenants: { acme: { refiner: { pollMs } } } })
  await polled(loop, null)
  const first = polling(loop).last_success
  loop.clock.pass(2 * MINUTE)
  expect(polling(loop).last_success).toBe(first)
  // It is due by now.
  await reload(MINUTE)
  await polled(loop, first)
  await reload(null)
  expect(loop.daemon.health().tenants['acme']!.polling).toBe(null)
  loop.clock.pass(10 * MINUTE)
  await reload(60 * MINUTE)
  loop.clock.pass(49 * MINUTE)
  const requests = loop.refiner.requests
  const before = polling(loop).last_success
  loop.clock.pass(MINUTE)
  await polled(loop, before)
  expect(loop.refiner.requests).toBeGreaterThan(requests)
  await settled(loop)
  expect(responsesAtSegment(loop)).toEqual(new Set(['first', 'second']))
})

test('what Refiner could not be asked for in weeks is fetched, however long deliveries are kept', async () => {
  const items = some(40).map((n) => response(`r-${n}`, MINUTE + n * DAY, `user-${n}`).item)
  let isDown = false
  await using loop = await startPolled((clock) => ({
    refiner: (request) =>
      isDown && request.method === 'GET' ? new Response('', { status: 500 }) : knownBy(clock, items)(request),
  }))
  await nextPoll(loop)
  isDown = true
  loop.clock.shift(39 * DAY + 60 * MINUTE)
  loop.clock.pass(EVERY)
  await until(() => polling(loop).last_error !== null)
  isDown = false
  await until(() => {
    loop.clock.pass(MINUTE)
    return polling(loop).last_success! > new Date(START + 39 * DAY).toISOString()
  })
  await settled(loop)
  expect(some(40).filter((n) => !responsesAtSegment(loop).has(`r-${n}`))).toEqual([])
})

test('a clock that is ahead of that of Refiner costs nothing', async () => {
  const AHEAD = 3 * 60 * MINUTE
  // As Refiner sees it, they happen after the first start.
  const items = [MINUTE, 7 * MINUTE].map((at, n) => response(`r-${n}`, at - AHEAD, `user-${n}`).item)
  const { promise: ready, resolve } = Promise.withResolvers<void>()
  await using loop = await startPolled((clock) => ({
    async refiner(request) {
      if (request.method !== 'GET') return null
      await ready
      const there = clock.now() - AHEAD
      const known = items.filter((item) => Date.parse(`${item.completed_at.replace(' ', 'T')}Z`) <= there)
      const answer = await history(known)(request)
      const headers = { date: new Date(there).toUTCString() }
      return answer instanceof Response ? new Response(await answer.text(), { headers }) : answer
    },
  }))
  resolve()
  await polled(loop, null)
  for (const _ of some(3)) await nextPoll(loop)
  await settled(loop)
  expect(responsesAtSegment(loop)).toEqual(new Set(['r-0', 'r-1']))
})

test('an account that drips its answer, or gives more than can be held, does not hold up polling for ever', async () => {
  const dripping = () =>
    new Response(
      new ReadableStream({
        async pull(controller) {
          await new Promise((resolve) => setTimeout(resolve, 10))
          controller.enqueue(' ')
        },
      }),
    )
  // Some kilobytes on the way here.
  const bomb = Bun.gzipSync(new Uint8Array(33 * 1024 * 1024))
  const large = () => new Response(bomb, { headers: { 'content-encoding': 'gzip' } })
  const faults = [dripping, large]
  const item = response('found', MINUTE).item
  const { log, lines } = keptLog()
  await using loop = await startPolled((clock) => ({
    log,
    refiner: (request) =>
      request.method === 'GET' && faults.length > 0 ? faults.shift()!() : knownBy(clock, [item])(request),
  }))
  const told = (text: string) => () => {
    loop.clock.pass(1000)
    return lines.some((line) => line.includes(text))
  }
  await until(told('did not answer within 2000 ms'))
  await until(told('more than can be read'))
  await until(() => {
    loop.clock.pass(MINUTE)
    return responsesAtSegment(loop).size === 1
  })
})

test('a page that fails for long does not hold up those before it, and one that fails once keeps the order', async () => {
  const items = some(250).map((n) => response(`r-${n}`, MINUTE + n * 1000).item)
  let failures = 1
  await using loop = await startPolled((clock) => ({
    refiner(request) {
      if (request.query.get('page_cursor') !== '200' || failures === 0) return knownBy(clock, items)(request)
      failures -= 1
      return new Response('', { status: 500 })
    },
  }))
  await polled(loop, null)
  const before = polling(loop).last_success
  loop.clock.pass(3 * EVERY)
  await until(() => {
    loop.clock.pass(1000)
    return polling(loop).last_success !== before
  })
  await settled(loop)
  const [moments] = momentsByUser(loop.segment.delivered)
  expect(moments).toHaveLength(250)
  expect(moments).toEqual(moments!.toSorted())

  const more = some(250).map((n) => response(`s-${n}`, 20 * MINUTE + n * 1000).item)
  items.push(...more)
  failures = Infinity
  await until(() => {
    loop.clock.pass(MINUTE)
    return responsesAtSegment(loop).size >= 400
  })
  failures = 0
  await until(() => {
    loop.clock.pass(MINUTE)
    return responsesAtSegment(loop).size === 500
  })
})
