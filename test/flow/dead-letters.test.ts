import { Database } from 'bun:sqlite'
import { expect, test } from 'bun:test'
import { runProgram } from '../../src/cli/program.ts'
import type { ShownReplay } from '../../src/console/replays.ts'
import type { ShownDelivery, ShownDetails } from '../../src/console/shown-delivery.ts'
import { withResponse } from '../fixtures/refiner-webhook.ts'
import { basic, bearer, deadline, type Loop, type LoopOptions, startLoop, until } from '../support/loop.ts'

const adminToken = 'the-admin-token'
const NO_EVENTS = { seen: null, dismissed: null, segment_entered: null, tag_added: null }
const start = (options: LoopOptions) => startLoop({ ...options, adminToken })

const track = (loop: Loop, event: string, userId = 'ada') =>
  loop.post('/v1/segment', { type: 'track', userId, event, messageId: event }, basic('acme-destination-key'))

const complete = (loop: Loop, id: string, outer: Record<string, unknown> = {}) =>
  loop.post(
    '/v1/refiner/acme',
    withResponse({ uuid: id, data: { id } }, { remote_id: 'ada', account: null, ...outer }),
    bearer('acme-webhook-secret'),
  )

async function api<T>(loop: Loop, path: string, method = 'GET'): Promise<T> {
  const response = await fetch(loop.daemon.url + path, { method, headers: bearer(adminToken) })
  return (await response.json()) as T
}

const show = (loop: Loop, id: number) => api<ShownDetails>(loop, `/api/deliveries/${id}`)
const idsOf = async (loop: Loop, query: string) =>
  (await api<ShownDelivery[]>(loop, `/api/deliveries?${query}`)).map(({ id }) => id)
const dead = (loop: Loop) => loop.daemon.health().tenants['acme']!.dead
const settled = (loop: Loop) => until(() => loop.daemon.health().tenants['acme']!.pending === 0)

/** A command, and what it prints. */
const run = async (
  loop: Loop,
  args: string[],
  options: { progress?: (line: string) => void; stopped?: boolean } = {},
) => {
  const out: string[] = []
  const errors: string[] = []
  const code = await runProgram([...args, '--url', loop.daemon.url], {
    environment: { REFINER_SYNC_ADMIN_TOKEN: adminToken },
    print: (line) => void out.push(line),
    printError: (line) => void errors.push(line),
    ...(options.progress && { showProgress: options.progress }),
    terminal: false,
    stopped: options.stopped ? Promise.resolve() : new Promise(() => {}),
    onHangup() {},
  })
  return { code, out: out.join('\n'), errors: errors.join('\n') }
}

test('each attempt is shown with its status, answer and time, also after a replay', async () => {
  const answers = [
    () => new Response('upstream is away, key sk_live_51H8xJ2eZvKYlo2C', { status: 503 }),
    () => new Response('upstream is away, key sk_live_51H8xJ2eZvKYlo2C', { status: 503 }),
    () => Response.json({ message: 'no such user', api_key: 'acme-refiner-key' }, { status: 422 }),
  ]
  await using loop = await start({
    refiner: () => answers.shift()?.() ?? null,
    delivery: { minBackoffMs: 5, maxBackoffMs: 10 },
  })
  await track(loop, 'first')
  await until(() => dead(loop) === 1)
  const before = await show(loop, 1)
  expect(before.tries).toMatchObject([
    { number: 1, status: 503, result: 'retry', answer: 'upstream is away, key [redacted]' },
    { number: 2, status: 503, result: 'retry' },
    { number: 3, status: 422, result: 'rejected', answer: expect.stringContaining('no such user') },
  ])
  const times = before.tries.map(({ at }) => Date.parse(at!))
  expect(times).toEqual(times.toSorted((a, b) => a - b))
  expect(JSON.stringify(before)).not.toMatch(/acme-refiner-key|sk_live/)

  await api(loop, '/api/deliveries/1/replay?by=ada', 'POST')
  await settled(loop)
  const after = await show(loop, 1)
  expect(after.tries.slice(0, 3)).toEqual(before.tries as never)
  expect(after.tries[3]).toMatchObject({ number: 4, result: 'delivered', at: after.settled_at })
  expect(after.replays).toMatchObject([{ by: 'ada', how: 'resent', reason: expect.stringContaining('422') }])
  const text = await run(loop, ['deliveries', 'show', '1'])
  expect(text.out).toMatch(/503 {2}retry: .*answered 503; it said: upstream is away/)

  // What went well at once has no record of its own.
  await track(loop, 'second')
  await settled(loop)
  expect((await show(loop, 2)).tries).toMatchObject([{ number: 1, result: 'delivered' }])
  using database = new Database(loop.configuration.database.path, { readonly: true })
  expect(database.query('select distinct delivery_id as id from attempts').all()).toEqual([{ id: 1 }])
})

test('deliveries are found by user, survey, reason and time, and what is not understood is refused', async () => {
  await using loop = await start({
    refiner: ({ text }) => (text.includes('bad') ? Response.json({}, { status: 422 }) : null),
  })
  await complete(loop, 'one', { form: { uuid: 'survey-1', name: 'Churn' } })
  await settled(loop)
  await complete(loop, 'two', { remote_id: 'bob', form: { uuid: 'survey-2', name: 'NPS' } })
  await settled(loop)
  await track(loop, 'bad', 'eve')
  await until(() => dead(loop) === 1)
  expect(await idsOf(loop, 'user=bob')).toEqual([4, 3])
  expect(await idsOf(loop, 'survey=Churn')).toEqual([2, 1])
  expect(await idsOf(loop, 'survey=survey-2&user=bob&limit=1')).toEqual([4])
  expect(await idsOf(loop, 'error=answered 422')).toEqual([5])
  expect(await idsOf(loop, 'state=dead&user=eve&since=1h')).toEqual([5])
  expect(await idsOf(loop, 'until=1h ago')).toEqual([])
  const { created_at } = await show(loop, 3)
  expect(await idsOf(loop, `since=${created_at}`)).toContain(3)
  expect(await idsOf(loop, `until=${created_at}`)).not.toContain(3)
  expect(await idsOf(loop, 'before=3')).toEqual([2, 1])
  const listed = await run(loop, ['deliveries', 'list', '--survey', 'NPS', '--since', '3d', '--json'])
  expect(JSON.parse(listed.out)).toHaveLength(2)
  expect(await run(loop, ['deliveries', 'list', '--since', 'noon'])).toMatchObject({ code: 1 })
})

test('a remap sends what today’s configuration makes of the input, in its place, and nothing twice', async () => {
  let refusing = true
  await using loop = await start({
    tenants: { acme: { toRefiner: { events: { include: ['*'], exclude: [] } } } },
    segment: ({ text }) =>
      refusing && text.includes('"track"') ? new Response('no', { status: 400 }) : null,
  })
  await complete(loop, 'one')
  await until(() => dead(loop) === 1)
  await complete(loop, 'two')
  await until(() => dead(loop) === 2)
  const taken = loop.segment.messages.length
  refusing = false
  await loop.reload({ tenants: { acme: { toSegment: { events: { ...NO_EVENTS, completed: 'Renamed' } } } } })
  const counted = await run(loop, [
    'deliveries',
    'replay',
    '--state',
    'dead',
    '--remap',
    '--dry-run',
    '--json',
  ])
  expect(JSON.parse(counted.out)).toEqual({ dry_run: true, replayed: 2, resent: 0, remapped: 2, orphaned: 0 })
  expect(dead(loop)).toBe(2)
  expect(await api<ShownReplay[]>(loop, '/api/replays')).toEqual([])

  const places = await idsOf(loop, 'state=dead')
  const done = await run(loop, ['deliveries', 'replay', '--state', 'dead', '--remap', '--user', 'ada'])
  expect(done.out).toContain('2 replayed: 0 to be sent again, 2 to be mapped again (replay 1)')
  await loop.segment.until((messages) => messages.length === taken + 2, deadline())
  await settled(loop)
  const sent = loop.segment.messages.slice(taken).map(({ message }) => message)
  expect(sent).toMatchObject([
    { type: 'track', event: 'Renamed', properties: { response_uuid: 'one' } },
    { type: 'track', event: 'Renamed', properties: { response_uuid: 'two' } },
  ])
  for (const id of places) {
    expect(await show(loop, id)).toMatchObject({
      state: 'delivered',
      call: 'track',
      replays: [{ replay: 1, how: 'remapped' }],
    })
  }
  const records = await run(loop, ['deliveries', 'replays'])
  expect(records.out).toContain('user=ada state=dead remap=true: 0 resent, 2 mapped again')
})

test('a large replay leaves turns to others, shows how far it is, and can be gone on with', async () => {
  await using loop = await start({})
  await track(loop, 'seed')
  await settled(loop)
  const many = 6000
  using database = new Database(loop.configuration.database.path)
  database.run(
    `with recursive n(i) as (select 1 union all select i + 1 from n where i < ${many})
     insert into outbox (inbox_id, tenant, destination, call, user_key, message_id, payload, state, reason, head,
       attempts, first_attempt_at, not_before, created_at, settled_at)
     select 1, 'acme', 'segment', 'track', 'user-' || (i % 500), 'copy-' || i, '{"type":"track","userId":"user-' ||
       (i % 500) || '","event":"E' || i || '","messageId":"copy-' || i || '"}', 'dead', 'no', 0, 1, 1, 1, 1, 1 from n`,
  )
  const between: number[] = []
  const bars: string[] = []
  const replayed = new AbortController()
  const live = (async () => {
    while (!replayed.signal.aborted) {
      const { status } = await track(loop, `live-${between.length}`)
      between.push(status)
    }
  })()
  const done = await run(loop, ['deliveries', 'replay', '--state', 'dead'], {
    progress: (line) => void bars.push(line),
  })
  replayed.abort()
  await live
  expect(done.out).toContain(`${many} replayed`)
  expect(bars[0]).toMatch(/^\[#+\.+\] 5000 of 6000, 83%$/)
  expect(bars.at(-1)).toBe('')
  // A request was answered while each part of the replay was under way.
  expect(between.length).toBeGreaterThan(5)
  expect(new Set(between)).toEqual(new Set([200]))
  await loop.segment.until((messages) => messages.length === many, AbortSignal.timeout(20_000))
  for (const [, messages] of Map.groupBy(loop.segment.messages, ({ message }) => message['userId'])) {
    const order = messages.map(({ message }) => Number(String(message['event']).slice(1)))
    expect(order).toEqual(order.toSorted((a, b) => a - b))
  }
  const [record] = await api<ShownReplay[]>(loop, '/api/replays')
  expect(record).toMatchObject({ replay: 1, resent: many, filter: { state: 'dead' } })
  expect(record!.finished_at).not.toBeNull()
  // What is finished stays as it is.
  const again = await run(loop, ['deliveries', 'replay', '--continue', '1', '--json'])
  expect(JSON.parse(again.out)).toMatchObject({ replay: 1, replayed: many })
  expect((await run(loop, ['deliveries', 'replay', '--continue', '9'])).code).toBe(1)
})

test('a replay that is broken off keeps what is done, and goes on from there', async () => {
  await using loop = await start({})
  await track(loop, 'seed')
  await settled(loop)
  using database = new Database(loop.configuration.database.path)
  database.run(
    `with recursive n(i) as (select 1 union all select i + 1 from n where i < 5200)
     insert into outbox (inbox_id, tenant, destination, call, user_key, message_id, payload, state, reason, head,
       attempts, first_attempt_at, not_before, created_at, settled_at)
     select 1, 'acme', 'segment', 'all', '', 'copy-' || i, null, 'skipped', 'no', 0, 0, null, 1, 1, 1 from n`,
  )
  const broken = await run(loop, ['deliveries', 'replay', '--state', 'skipped'], { stopped: true })
  expect(broken).toMatchObject({ code: 1, errors: expect.stringContaining('--continue 1') })
  expect(await api<ShownReplay[]>(loop, '/api/replays')).toMatchObject([
    { remapped: 5000, finished_at: null },
  ])
  await loop.restart()
  const rest = await run(loop, ['deliveries', 'replay', '--continue', '1'])
  expect(rest.out).toContain('5200 replayed')
  expect(database.query(`select count(*) as n from outbox where state = 'skipped'`).get()).toEqual({ n: 0 })
})
