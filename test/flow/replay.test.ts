import { expect, test } from 'bun:test'
import { Database } from 'bun:sqlite'
import { runProgram } from '../../src/cli/program.ts'
import type { ShownDelivery, ShownDetails } from '../../src/console/shown-delivery.ts'
import { withResponse } from '../fixtures/refiner-webhook.ts'
import {
  basic,
  bearer,
  deadline,
  keptLog,
  type Loop,
  type LoopOptions,
  startLoop,
  until,
} from '../support/loop.ts'
import { pluginStub } from '../support/plugin-stub.ts'

const adminToken = 'the-admin-token'
const withPlugin = { toSegment: { plugins: ['nps'] } }
const broken = { kind: 'failed', reason: 'TypeError at plugins/nps.ts:3:5', detail: 'ada said yes' } as const

const start = (options: LoopOptions) => startLoop({ ...options, adminToken })

const complete = (loop: Loop, id: string) =>
  loop.post(
    '/v1/refiner/acme',
    withResponse({ uuid: id, data: { id } }, { remote_id: 'ada', account: null }),
    bearer('acme-webhook-secret'),
  )

const track = (loop: Loop, event: string) =>
  loop.post(
    '/v1/segment',
    { type: 'track', userId: 'ada', event, messageId: event },
    basic('acme-destination-key'),
  )

async function api(loop: Loop, path: string, method = 'GET'): Promise<{ status: number; body: unknown }> {
  const response = await fetch(loop.daemon.url + path, { method, headers: bearer(adminToken) })
  return { status: response.status, body: await response.json() }
}

const list = async (loop: Loop, query: string) =>
  (await api(loop, `/api/deliveries?${query}`)).body as ShownDelivery[]
const show = async (loop: Loop, id: number) => (await api(loop, `/api/deliveries/${id}`)).body as ShownDetails

/** `refiner-sync deliveries …`, and what it prints. */
const run = async (args: string[], token = adminToken) => {
  const lines: string[] = []
  const print = (line: string) => void lines.push(line)
  const code = await runProgram(['deliveries', ...args], {
    environment: { REFINER_SYNC_ADMIN_TOKEN: token },
    print,
    printError: print,
    terminal: false,
    stopped: new Promise(() => {}),
    onHangup() {},
  })
  return { code, text: lines.join('\n') }
}

const dead = (loop: Loop) => loop.daemon.health().tenants['acme']!.dead

test('an item that a broken plugin failed is mapped anew by the mended one', async () => {
  const { log, lines } = keptLog()
  await using loop = await start({ tenants: { acme: withPlugin }, plugins: pluginStub(broken), log })
  await complete(loop, 'one')
  await until(() => dead(loop) === 1)

  const listed = await list(loop, 'state=dead&tenant=acme')
  expect(listed).toMatchObject([
    { id: 1, call: 'all', state: 'dead', reason: expect.stringContaining('TypeError') },
  ])
  expect(JSON.stringify(listed)).not.toContain('said yes')
  expect(await show(loop, 1)).toMatchObject({
    detail: 'ada said yes',
    message: null,
    input: { source: 'refiner_webhook', replays: 0, body: { remote_id: 'ada' } },
  })

  // Still broken: it fails again, as another delivery of the same item, in the same place.
  expect(await api(loop, '/api/deliveries/1/replay', 'POST')).toEqual({
    status: 200,
    body: { id: 1, replayed: 'remapped' },
  })
  await until(async () => (await show(loop, 1)).input?.replays === 1)
  expect((await show(loop, 1)).state).toBe('dead')

  await loop.reload({ plugins: pluginStub('unchanged') })
  await api(loop, '/api/deliveries/1/replay?by=ada', 'POST')
  await loop.segment.until((messages) => messages.length === 2, deadline())
  await until(async () => (await show(loop, 1)).state === 'delivered')
  await until(() => dead(loop) === 0)
  expect(await show(loop, 1)).toMatchObject({
    call: 'identify',
    input: { replays: 2 },
    replays: [
      { replay: 1, delivery: 1, by: 'admin', how: 'remapped', reason: expect.stringContaining('TypeError') },
      { replay: 2, delivery: 1, by: 'ada', how: 'remapped' },
    ],
  })
  expect((await api(loop, '/api/deliveries/1/replay', 'POST')).status).toBe(409)
  expect((await api(loop, '/api/deliveries/99/replay', 'POST')).status).toBe(404)
  expect(lines.filter((line) => line.includes('"replayed"'))).toHaveLength(2)
  expect(lines.join()).not.toContain('said yes')
})

test('what else an item became is not sent twice when a part of it is mapped anew', async () => {
  await using loop = await start({ tenants: { acme: { toSegment: { anonymous: 'skip' } } } })
  await complete(loop, 'one')
  await loop.segment.until((messages) => messages.length === 2, deadline())
  await until(() => loop.daemon.health().tenants['acme']!.pending === 0)
  const key = basic('acme-destination-key')
  await loop.reload({ tenants: { acme: { toRefiner: { events: { include: ['*'], exclude: ['Debug'] } } } } })
  await loop.post('/v1/segment', { type: 'track', userId: 'u', event: 'Debug', messageId: 'm' }, key)
  await until(async () => (await list(loop, 'state=skipped')).length === 1)
  await loop.reload({ tenants: { acme: {} } })
  const [skipped] = await list(loop, 'state=skipped')
  await api(loop, `/api/deliveries/${skipped!.id}/replay`, 'POST')
  await loop.refiner.until((calls) => calls.length === 1, deadline())
  expect(loop.segment.messages).toHaveLength(2)
  using database = new Database(loop.configuration.database.path, { readonly: true })
  expect(database.query(`select name, count from user_events`).all()).toEqual([{ name: 'Debug', count: 1 }])
})

test('what a destination refused is sent again as it is, before what its user has waiting', async () => {
  let refusing = true
  const release = Promise.withResolvers<void>()
  await using loop = await start({
    async refiner({ text }) {
      if (text.includes('first') && refusing) return Response.json({ message: 'no' }, { status: 422 })
      if (text.includes('second')) await release.promise
      return null
    },
  })
  await track(loop, 'first')
  await until(() => dead(loop) === 1)
  await track(loop, 'second')
  await track(loop, 'third')
  await until(() => loop.refiner.requests === 2)
  refusing = false
  const replayed = await api(loop, '/api/deliveries/1/replay', 'POST')
  expect(replayed.body).toEqual({ id: 1, replayed: 'resent' })
  expect((await api(loop, '/api/deliveries/1/replay', 'POST')).status).toBe(409)
  release.resolve()
  await loop.refiner.until((calls) => calls.length === 3, deadline())
  expect(loop.refiner.calls.map(({ body }) => body['event'])).toEqual(['second', 'first', 'third'])
  await until(() => loop.daemon.health().tenants['acme']!.pending === 0)
  expect(await show(loop, 1)).toMatchObject({
    state: 'delivered',
    notes: expect.stringContaining('replayed at'),
  })
})

test('the command line lists, shows and replays, by ID and all that fit', async () => {
  let refusing = true
  await using loop = await start({
    refiner: () => (refusing ? Response.json({ message: 'no' }, { status: 422 }) : null),
  })
  const url = ['--url', loop.daemon.url]
  const events = Array.from({ length: 600 }, (_, n) => `event-${n}`)
  const batch = events.map((event) => ({ type: 'track', userId: 'ada', event, messageId: event }))
  await loop.post('/v1/segment', { batch }, basic('acme-destination-key'))
  await until(() => dead(loop) === 600)

  const listing = await run(['list', ...url, '--state', 'dead', '--limit', '2', '--json'])
  expect(JSON.parse(listing.text)).toMatchObject([{ id: 600 }, { id: 599, attempts: 1 }])
  expect((await run(['list', ...url])).text).toContain('acme → refiner')
  expect((await run(['show', '1', ...url])).text).toContain('event-0')
  expect((await run(['show', '7777', ...url])).code).toBe(1)
  expect(await run(['list', ...url], 'wrong')).toMatchObject({
    code: 1,
    text: expect.stringContaining('token'),
  })
  expect((await run(['replay', ...url])).code).toBe(2)
  expect((await run(['replay', '1', '--state', 'dead', ...url])).code).toBe(2)

  refusing = false
  const one = await run(['replay', '1', '7777', ...url])
  expect(one).toMatchObject({ code: 1, text: expect.stringContaining('1: to be sent again') })
  await until(() => dead(loop) === 599)
  const none = await run(['replay', '--state', 'dead', '--reason', 'something else', ...url])
  expect(none.text).toStartWith('0 replayed')
  const all = await run([
    'replay',
    '--state',
    'dead',
    '--tenant',
    'acme',
    '--reason',
    '422',
    ...url,
    '--json',
  ])
  expect(JSON.parse(all.text)).toMatchObject({ replayed: 599, resent: 599, remapped: 0, orphaned: 0 })
  await loop.refiner.until((calls) => calls.length === 600, deadline())
  const sent = loop.refiner.calls.map(({ body }) => String(body['event']))
  expect(sent).toEqual(events)
})

test('what somebody made a plugin say cannot paint over the terminal of who reads it', async () => {
  const said = 'gone\u001b[2J'
  const failing = pluginStub({ kind: 'failed', reason: said, detail: said })
  await using loop = await start({ tenants: { acme: withPlugin }, plugins: failing })
  await complete(loop, 'one')
  await until(async () => (await list(loop, 'state=dead')).length === 1)
  for (const args of [['list'], ['show', '1']]) {
    const { text } = await run([...args, '--url', loop.daemon.url])
    expect(text).toContain('gone\\u001b[2J')
    expect(text).not.toContain('\u001b')
  }
})

test('what an item becomes when it is mapped anew all goes before what its user did later', async () => {
  let isDown = true
  await using loop = await start({
    tenants: { acme: withPlugin },
    plugins: pluginStub(broken),
    segment: () => (isDown ? new Response('', { status: 503 }) : null),
  })
  const completeWith = (id: string, seats: number) =>
    loop.post(
      '/v1/refiner/acme',
      withResponse(
        { uuid: id, data: { id } },
        { remote_id: 'ada', account: { remote_id: 'acme-inc', attributes: { seats } } },
      ),
      bearer('acme-webhook-secret'),
    )
  await completeWith('first', 1)
  await until(() => dead(loop) === 1)
  await loop.reload({ plugins: pluginStub('unchanged') })
  await completeWith('second', 2)
  const pending = () => loop.daemon.health().tenants['acme']!.destinations.segment.pending
  await until(() => pending() === 3)
  await api(loop, '/api/deliveries/1/replay', 'POST')
  await until(() => pending() === 6)
  isDown = false
  await loop.segment.until((messages) => messages.length === 6, deadline())
  const groups = loop.segment.messages.filter(({ message }) => message['type'] === 'group')
  expect(groups.map(({ message }) => message['traits'])).toEqual([{ refiner_seats: 1 }, { refiner_seats: 2 }])
  const types = loop.segment.messages.map(({ message }) => String(message['type']))
  expect(types.join()).toBe('identify,group,track,identify,group,track')
})
