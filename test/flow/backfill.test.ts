import { Database } from 'bun:sqlite'
import { expect, test } from 'bun:test'
import type { ShownBackfill, ShownPreview } from '../../src/console/backfills.ts'
import { keptLog, bearer, deadline, startLoop, until } from '../support/loop.ts'
import { ADMIN, ask, begin, byResponse, ended, momentsByUser, operate } from '../support/backfill.ts'
import { handClock } from '../support/hand-clock.ts'
import { history, pastItem, pastWebhook } from '../support/history.ts'

const COUNT = 120
const some = (count: number) => Array.from({ length: count }, (_, n) => n)
const items = (count: number) => some(count).map((n) => pastItem(n))
const COMPLETE = ['identify', 'group', 'track']

test('history reaches Segment once and in order, with the timestamps of then; a second time nothing is sent', async () => {
  await using loop = await startLoop({ adminToken: ADMIN, refiner: history(items(COUNT)) })
  const { url } = loop.daemon
  const first = await ended(url, await begin(url))
  expect(first).toMatchObject({ state: 'done', total: COUNT, mode: 'to-segment' })
  expect(first.counts).toMatchObject({ read: COUNT, taken: COUNT, known: 0, messages: 3 * COUNT, copies: 0 })
  await loop.segment.until((messages) => messages.length >= 3 * COUNT, deadline())
  const found = byResponse(loop.segment.delivered)
  expect(found.size).toBe(COUNT)
  for (const calls of found.values()) expect(calls).toEqual(COMPLETE)
  for (const moments of momentsByUser(loop.segment.delivered)) expect(moments).toEqual(moments.toSorted())
  expect(momentsByUser(loop.segment.delivered).flat().toSorted()[0]).toBe('2023-01-01T00:00:00.000Z')

  const second = await ended(url, await begin(url))
  expect(second.counts).toMatchObject({ read: COUNT, taken: 0, known: COUNT, messages: 0 })
  expect(loop.segment.messages).toHaveLength(3 * COUNT)
})

test('what webhooks bring before, meanwhile and after is sent once', async () => {
  await using loop = await startLoop({ adminToken: ADMIN, refiner: history(items(COUNT)) })
  const { url } = loop.daemon
  const send = (numbers: readonly number[]) =>
    Promise.all(
      numbers.map((n) => loop.post('/v1/refiner/acme', pastWebhook(n), bearer('acme-webhook-secret'))),
    )
  const [before, meanwhile, after] = [0, 1, 2].map((third) => some(COUNT).filter((n) => n % 3 === third))
  await send(before!)
  const id = await begin(url)
  await send(meanwhile!)
  const shown = await ended(url, id)
  expect(shown.counts.read).toBe(COUNT)
  await send(after!)
  await until(() => loop.daemon.health().tenants['acme']!.pending === 0)
  expect(loop.segment.messages).toHaveLength(3 * COUNT)
  for (const calls of byResponse(loop.segment.delivered).values()) expect(calls).toEqual(COMPLETE)
})

test('nothing is read while much waits to be sent, and it goes on by itself afterwards and after a restart', async () => {
  let isDown = true
  await using loop = await startLoop({
    adminToken: ADMIN,
    refiner: history(items(COUNT)),
    segment: () => (isDown ? new Response('down', { status: 503 }) : null),
  })
  const id = await begin(loop.daemon.url)
  const look = () => operate(loop.daemon.url, 'GET', `/api/backfills/${id}`)
  await until(async () => (await look()).body.waiting_for === 'messages that are to be sent to Segment first')
  const { counts } = (await look()).body
  expect(counts.read).toBeLessThan(COUNT)
  await loop.restart()
  isDown = false
  expect((await ended(loop.daemon.url, id)).counts).toMatchObject({ read: COUNT, messages: 3 * COUNT })
  await until(() => loop.daemon.health().tenants['acme']!.pending === 0)
  for (const calls of byResponse(loop.segment.delivered).values()) expect(calls).toEqual(COMPLETE)
})

test('an outage of twenty minutes, a refused key and 429 are waited for', async () => {
  const clock = handClock(Date.UTC(2024, 0, 1))
  let state: 'down' | 'refused' | 'throttled' | 'up' = 'down'
  let throttledAt = 0
  await using loop = await startLoop({
    adminToken: ADMIN,
    clock,
    refiner: history(items(COUNT), {
      fault() {
        if (state === 'down') return 'drop'
        if (state === 'refused') return Response.json({ message: 'no' }, { status: 401 })
        if (state === 'up') return null
        throttledAt = clock.now()
        state = 'up'
        return Response.json({ message: 'slow down' }, { status: 429, headers: { 'retry-after': '300' } })
      },
    }),
  })
  const { url } = loop.daemon
  const id = await begin(url)
  const end = clock.now() + 20 * 60_000
  let asked = 0
  await until(async () => {
    clock.pass(10_000)
    await operate(url, 'GET', `/api/backfills/${id}`)
    asked = loop.refiner.requests
    return clock.now() >= end
  })
  // Once a minute, and more often at first.
  expect(asked).toBeLessThan(40)
  state = 'refused'
  await until(async () => {
    clock.pass(5000)
    const { body } = await operate(url, 'GET', `/api/backfills/${id}`)
    return body.waiting_for?.startsWith('a key that Refiner takes') === true
  })
  state = 'throttled'
  let firstAfter = 0
  const shown = await ended(url, id, () => {
    clock.pass(firstAfter === 0 ? 2000 : 100)
    if (firstAfter === 0 && loop.segment.messages.length > 0) firstAfter = clock.now()
  })
  expect(shown).toMatchObject({ state: 'done', counts: { read: COUNT, taken: COUNT } })
  expect(firstAfter - throttledAt).toBeGreaterThanOrEqual(300_000)
})

test('a dry run says what would be sent, shows five messages, and writes nothing', async () => {
  await using loop = await startLoop({ adminToken: ADMIN, refiner: history(items(COUNT)) })
  const { url } = loop.daemon
  await loop.post('/v1/refiner/acme', pastWebhook(5), bearer('acme-webhook-secret'))
  await until(() => loop.daemon.health().tenants['acme']!.pending === 0)
  const changes = () => {
    using sqlite = new Database(loop.configuration.database.path, { readonly: true })
    return ['inbox', 'outbox', 'users', 'responses', 'backfills'].map(
      (table) => sqlite.query(`select count(*) as count from ${table}`).get() as { count: number },
    )
  }
  const before = changes()
  const path = '/api/backfills/dry-run?tenant=acme&since=2022-12-01'
  const { status, body } = await ask(url, 'POST', path)
  expect(status).toBe(200)
  const { samples } = body as ShownPreview
  expect(body).toMatchObject({
    dry_run: true,
    read: COUNT,
    total: COUNT,
    cursor: null,
    interactions: { completed: COUNT },
    messages: { identify: COUNT - 1, group: COUNT - 1, track: COUNT - 1 },
    surveys: { 'Customer Churn Survey': { interactions: COUNT, messages: 3 * (COUNT - 1) } },
    copies: 3,
  })
  expect(samples).toHaveLength(5)
  expect(samples[0]).toMatchObject({ type: 'identify', userId: 'user-0' })
  expect(changes()).toEqual(before)
  expect(loop.segment.messages).toHaveLength(3)
})

test('what was only kept is sent when that is asked for later', async () => {
  await using loop = await startLoop({ adminToken: ADMIN, refiner: history(items(COUNT)) })
  const { url } = loop.daemon
  const kept = await ended(url, await begin(url, 'since=2022-12-01&mode=store-only'))
  expect(kept.counts).toMatchObject({ read: COUNT, taken: COUNT, messages: 0 })
  expect(loop.segment.messages).toHaveLength(0)
  {
    using sqlite = new Database(loop.configuration.database.path, { readonly: true })
    expect(sqlite.query('select count(*) as count from responses').get()).toEqual({ count: COUNT })
    const users = sqlite.query('select user_id, email, last_seen_at from users order by user_id').all()
    expect(users).toHaveLength(10)
    expect(users[0]).toMatchObject({ user_id: 'user-0', email: 'user-0@example.com' })
    expect((users[0] as { last_seen_at: number }).last_seen_at).toBeLessThan(Date.UTC(2023, 1, 1))
    expect(sqlite.query('select count(*) as count from memberships').get()).toEqual({ count: 10 })
  }
  await ended(url, await begin(url))
  await loop.segment.until((messages) => messages.length >= 3 * COUNT, deadline())
  expect(byResponse(loop.segment.delivered).size).toBe(COUNT)
})

test('contacts become known here, with their accounts, and anonymous ones do not', async () => {
  const contacts = some(30).map((n) => ({
    uuid: `contact-${n}`,
    remote_id: n % 3 === 0 ? null : `user-${n}`,
    email: `user-${n}@example.com`,
    attributes: { plan: 'pro' },
    account: { uuid: 'a', remote_id: n % 3 === 0 ? null : 'account-1', attributes: { name: 'Acme' } },
    first_seen_at: '2022-01-01 00:00:00',
    last_seen_at: '2022-02-01 00:00:00',
  }))
  await using loop = await startLoop({ adminToken: ADMIN, refiner: history([], { contacts }) })
  const { url } = loop.daemon
  const shown = await ended(url, await begin(url, 'contacts=true'))
  expect(shown).toMatchObject({
    state: 'done',
    since: null,
    counts: { contacts: 30, contacts_kept: 20, read: 0 },
  })
  using sqlite = new Database(loop.configuration.database.path, { readonly: true })
  expect(sqlite.query('select count(*) as count from users').get()).toEqual({ count: 20 })
  expect(sqlite.query('select traits, refiner_uuid from users order by user_id limit 1').get()).toEqual({
    traits: '{"plan":"pro"}',
    refiner_uuid: 'contact-1',
  })
  expect(sqlite.query('select account_id, traits from accounts').all()).toEqual([
    { account_id: 'account-1', traits: '{"name":"Acme"}' },
  ])
})

test('only the surveys that are named are brought over', async () => {
  const all = some(20).map((n) => ({
    ...pastItem(n),
    form: { uuid: `form-${n % 2}`, name: n % 2 === 0 ? 'NPS 2023' : 'Churn' },
  }))
  await using loop = await startLoop({ adminToken: ADMIN, refiner: history(all) })
  const { url } = loop.daemon
  const shown = await ended(url, await begin(url, 'since=2022-12-01&survey=NPS+*&survey=form-7'))
  expect(shown.counts).toMatchObject({ read: 20, taken: 10, left_out: 10 })
})

test('a rate is kept to', async () => {
  const clock = handClock(Date.UTC(2024, 0, 1))
  await using loop = await startLoop({ adminToken: ADMIN, clock, refiner: history(items(COUNT)) })
  const { url } = loop.daemon
  const start = clock.now()
  const shown = await ended(url, await begin(url, 'since=2022-12-01&rate=10'), () => clock.pass(300))
  expect(shown.counts.messages).toBe(3 * COUNT)
  expect(clock.now() - start).toBeGreaterThanOrEqual(((3 * COUNT) / 10) * 1000)
})

test('it can be paused and resumed; two at once of a tenant are refused', async () => {
  await using loop = await startLoop({ adminToken: ADMIN, refiner: history(items(COUNT)) })
  const { url } = loop.daemon
  const id = await begin(url, 'since=2022-12-01&rate=20')
  expect((await operate(url, 'POST', '/api/backfills?tenant=acme&since=1d')).status).toBe(409)
  const paused = await operate(url, 'POST', `/api/backfills/${id}/pause`)
  expect(paused.body).toMatchObject({ state: 'paused', waiting_for: null })
  expect((await operate(url, 'POST', `/api/backfills/${id}/pause`)).status).toBe(409)
  await loop.restart()
  const restarted = loop.daemon.url
  expect((await operate(restarted, 'GET', `/api/backfills/${id}`)).body.state).toBe('paused')
  expect((await operate(restarted, 'POST', `/api/backfills/${id}/resume`)).body.state).toBe('running')
  const list = await ask(restarted, 'GET', '/api/backfills')
  expect((list.body as ShownBackfill[]).map(({ backfill, state }) => ({ backfill, state }))).toEqual([
    { backfill: id, state: 'running' },
  ])
})

test('what Refiner refuses for good ends it, with the reason; it can be resumed', async () => {
  let isBroken = true
  const { log, lines } = keptLog()
  await using loop = await startLoop({
    adminToken: ADMIN,
    log,
    refiner: history(items(20), {
      fault: () => (isBroken ? Response.json({ message: 'no such form' }, { status: 422 }) : null),
    }),
  })
  const { url } = loop.daemon
  const id = await begin(url)
  const failed = await ended(url, id)
  expect(failed.state).toBe('failed')
  expect(failed.reason).toStartWith('reading from Refiner: ')
  expect(lines.some((line) => line.includes('a backfill failed'))).toBe(true)
  isBroken = false
  await operate(url, 'POST', `/api/backfills/${id}/resume`)
  expect((await ended(url, id)).counts.taken).toBe(20)
})

test('a place in the list that Refiner has forgotten while it was paused is found again by its day', async () => {
  const many = some(450).map((n) => pastItem(n, { everyMs: 60_000 }))
  let isForgotten = false
  await using loop = await startLoop({
    adminToken: ADMIN,
    refiner: history(many, {
      fault({ query }) {
        if (!isForgotten || !query.has('page_cursor')) return null
        isForgotten = false
        return Response.json({ message: 'unknown cursor' }, { status: 422 })
      },
    }),
  })
  const { url } = loop.daemon
  const id = await begin(url)
  await until(async () => (await operate(url, 'GET', `/api/backfills/${id}`)).body.counts.read > 200)
  await operate(url, 'POST', `/api/backfills/${id}/pause`)
  isForgotten = true
  await operate(url, 'POST', `/api/backfills/${id}/resume`)
  const shown = await ended(url, id)
  expect(shown.state).toBe('done')
  await until(() => loop.daemon.health().tenants['acme']!.pending === 0)
  expect(byResponse(loop.segment.delivered).size).toBe(450)
  expect(loop.segment.messages).toHaveLength(3 * 450)
})

test('what is not understood, and a tenant that nothing can be read for, are refused', async () => {
  await using loop = await startLoop({
    adminToken: ADMIN,
    tenants: { acme: {}, off: { enabled: false } },
  })
  const refused = async (query: string) => {
    const path = `/api/backfills?${query}`
    const { status, body } = await ask(loop.daemon.url, 'POST', path)
    return [status, (body as { message: string }).message]
  }
  for (const [query, message] of [
    ['', 'name a tenant'],
    ['tenant=acme', 'say since when'],
    ['tenant=acme&since=yesterday', 'since and until are moments'],
    ['tenant=acme&since=2023-02-01&until=2023-01-01', 'since has to be before until'],
    ['tenant=acme&since=2999-01-01', 'since has to be before until'],
    ['tenant=acme&since=1d&rate=0', 'rate is a number'],
    ['tenant=acme&since=1d&mode=both', 'mode is'],
    ['tenant=acme&since=1d&contacts=yes', 'contacts is'],
    ['tenant=acme&since=1d&since=2d', 'given once'],
    ['tenant=acme&since=1d&survy=NPS', 'each parameter is one of'],
  ] as const) {
    expect(await refused(query), query).toEqual([400, expect.stringContaining(message)])
  }
  expect(await refused('tenant=off&since=1d')).toEqual([409, expect.stringContaining('nothing can be read')])
  expect(await refused('tenant=nobody&since=1d')).toEqual([
    404,
    expect.stringContaining('there is no tenant'),
  ])
})

test('how it fares is told by /health, the metrics and status', async () => {
  let isBroken = false
  await using loop = await startLoop({
    adminToken: ADMIN,
    refiner: history(items(60), {
      fault: () => (isBroken ? Response.json({ message: 'no' }, { status: 422 }) : null),
    }),
  })
  const { url } = loop.daemon
  const told = () => loop.daemon.health().tenants['acme']!.backfill
  const metrics = async () => (await fetch(`${url}/metrics`)).text()
  expect(told()).toBe(null)
  expect(await metrics()).not.toContain('refiner_sync_backfill_running{')
  const first = await begin(url, 'since=2022-12-01&rate=20')
  await until(() => (told()?.responses.read ?? 0) > 0)
  expect(told()).toMatchObject({ id: first, state: 'running', total: 60 })
  expect(told()!.remaining).toBe(60 - told()!.responses.read)
  expect(await metrics()).toContain('refiner_sync_backfill_running{tenant="acme"} 1')
  await operate(url, 'POST', `/api/backfills/${first}/pause`)

  const second = await begin(url)
  await ended(url, second)
  expect(told()).toMatchObject({ id: second, state: 'done', remaining: 0, reason: null, waiting_for: null })
  const { responses, messages } = told()!
  expect(responses).toMatchObject({ read: 60, left_out: 0, forgotten: 0 })
  expect(responses.taken + responses.known).toBe(60)
  expect(messages.made).toBe(3 * responses.taken)
  const text = await metrics()
  expect(text).toContain('refiner_sync_backfill_running{tenant="acme"} 0')
  expect(text).toContain('refiner_sync_backfill_remaining_responses{tenant="acme"} 0')
  expect(text).toContain(`refiner_sync_backfill_responses{tenant="acme",outcome="taken"} ${responses.taken}`)
  expect(text).toContain(`refiner_sync_backfill_messages{tenant="acme",outcome="made"} ${messages.made}`)

  isBroken = true
  const third = await begin(url)
  await ended(url, third)
  expect(told()).toMatchObject({ id: third, state: 'failed' })
  expect(loop.daemon.health().problems.join()).toContain(
    `acme: backfill ${third} failed: reading from Refiner`,
  )
})
