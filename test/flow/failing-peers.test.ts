import { expect, test } from 'bun:test'
import type { Fault, PeerRequest } from '../../src/demo/scripted-server.ts'
import { withResponse } from '../fixtures/refiner-webhook.ts'
import { basic, bearer, deadline, keptLog, type Loop, startLoop, until } from '../support/loop.ts'

/** A peer that goes through these faults, one a request, and then works. */
function faults(...script: (() => Fault)[]): (request: PeerRequest) => Fault | null {
  return () => script.shift()?.() ?? null
}

const status = (code: number, headers: Record<string, string> = {}) => {
  return (): Fault => Response.json({ message: 'no' }, { status: code, headers })
}
const json = (body: unknown) => (): Fault => Response.json(body)
const drop = (): Fault => 'drop'
const hang = (): Fault => 'hang'

const WEBHOOKS = 12
const USERS = 3

/** Answers given one after the other by a few users; each answer names its place in the order. */
async function sendWebhooks(loop: Loop, from = 0): Promise<void> {
  for (let n = from; n < from + WEBHOOKS; n++) {
    const body = withResponse(
      { uuid: `response-${n}`, data: { n } },
      { remote_id: `user-${n % USERS}`, account: null },
    )
    const response = await loop.post('/v1/refiner/acme', body, bearer('acme-webhook-secret'))
    expect(response.status).toBe(200)
  }
}

interface Sent {
  readonly userId: string
  readonly type: string
  readonly traits?: { readonly refiner_n: number }
  readonly properties?: { readonly n: number }
}

function expectOnceAndInOrder(loop: Loop, webhooks = WEBHOOKS): void {
  expect(loop.segment.delivered).toHaveLength(2 * webhooks)
  const places = new Map<string, number[]>()
  for (const { message } of loop.segment.delivered) {
    const { userId, type, traits, properties } = message as unknown as Sent
    const place = 2 * (traits?.refiner_n ?? properties!.n) + (type === 'track' ? 1 : 0)
    places.set(userId, [...(places.get(userId) ?? []), place])
  }
  expect(places.size).toBe(USERS)
  for (const order of places.values()) expect(order).toEqual(order.toSorted((a, b) => a - b))
}

test('500, then 429 with Retry-After, then a closed connection, then a hang: each message arrives once and in order', async () => {
  await using loop = await startLoop({
    delivery: { timeoutMs: 300 },
    segment: faults(status(500), status(429, { 'retry-after': '1' }), drop, hang),
  })
  await sendWebhooks(loop)
  await loop.segment.until(() => loop.segment.delivered.length === 2 * WEBHOOKS, deadline())
  expectOnceAndInOrder(loop)
  expect(loop.segment.requests).toBeGreaterThan(4)
})

test.each([
  ['200 with an error inside', json({ success: false })],
  ['200 with an error field', json({ error: { code: 1 } })],
  ['200 with a web page', () => new Response('<html>', { headers: { 'content-type': 'text/html' } })],
  ['a redirect', status(302, { location: 'http://127.0.0.1:9/' })],
  ['408', status(408)],
  ['503 with Retry-After', status(503, { 'retry-after': '0' })],
  ['404', status(404)],
])('%s is no delivery: it is tried again', async (_, fault) => {
  await using loop = await startLoop({ segment: faults(fault, fault) })
  await sendWebhooks(loop)
  await loop.segment.until(() => loop.segment.delivered.length === 2 * WEBHOOKS, deadline())
  expectOnceAndInOrder(loop)
})

test('while one of a user waits to be tried again, that user waits and the others do not', async () => {
  let open = false
  await using loop = await startLoop({
    refiner: ({ text }) => (text.includes('"user-0"') && !open ? status(500)() : null),
  })
  const key = basic('acme-destination-key')
  for (let n = 0; n < 9; n++) {
    const track = { type: 'track', userId: `user-${n % 3}`, event: `e${n}`, messageId: `m-${n}` }
    await loop.post('/v1/segment', track, key)
  }
  await loop.refiner.until((calls) => calls.length === 6, deadline())
  expect(loop.refiner.calls.every(({ body }) => body['id'] !== 'user-0')).toBe(true)
  open = true
  await loop.refiner.until((calls) => calls.length === 9, deadline())
  const events = (id: string) =>
    loop.refiner.calls.filter(({ body }) => body['id'] === id).map(({ body }) => body['event'])
  expect([events('user-0'), events('user-1'), events('user-2')]).toEqual([
    ['e0', 'e3', 'e6'],
    ['e1', 'e4', 'e7'],
    ['e2', 'e5', 'e8'],
  ])
})

test('401 burns no message: the lane pauses and /health says why, without the answer', async () => {
  const { log, lines } = keptLog()
  await using loop = await startLoop({ segment: status(401), log })
  await sendWebhooks(loop)
  const lane = () => loop.daemon.health().tenants['acme']!.destinations.segment
  await until(() => lane().state === 'unauthorized' && lane().pending === 2 * WEBHOOKS)
  expect(lane().dead).toBe(0)
  expect(lane().last_error!.message).toMatch(/answered 401: check the key/)
  expect(loop.daemon.health().status).toBe('degraded')
  const told = lines.filter((line) => line.includes('paused, because the key is refused'))
  expect(told.length).toBeGreaterThan(0)
  for (const line of told) {
    expect(JSON.parse(line)).toMatchObject({
      level: 'error',
      tenant: 'acme',
      setting: 'tenants.acme.segment.write_key',
    })
  }
  expect(lines.join()).not.toContain('to be tried again')
  expect(lines.join()).not.toContain('acme-write-key')
})

test('what is tried for too long is dead, kept with its reason', async () => {
  await using loop = await startLoop({
    delivery: { giveUpAfterMs: 100, maxBackoffMs: 40 },
    segment: status(500),
  })
  await sendWebhooks(loop)
  const lane = () => loop.daemon.health().tenants['acme']!.destinations.segment
  await until(() => lane().dead === 2 * WEBHOOKS)
  expect(lane()).toMatchObject({ pending: 0, state: 'ok' })
})

test('a message that Refiner refuses for good is dead, and the next of the same user goes out', async () => {
  await using loop = await startLoop({
    refiner: ({ text }) =>
      text.includes('refused') ? Response.json({ message: 'no' }, { status: 422 }) : null,
  })
  const key = basic('acme-destination-key')
  for (const event of ['refused', 'taken']) {
    await loop.post('/v1/segment', { type: 'track', userId: 'u', event, messageId: event }, key)
  }
  await loop.refiner.until((calls) => calls.length === 1, deadline())
  expect(loop.refiner.calls[0]!.body).toEqual({ id: 'u', event: 'taken' })
  await until(() => loop.daemon.health().tenants['acme']!.dead === 1)
})

test.each([400, 413])('of a batch that Segment refuses with %i, only the offender is dead', async (code) => {
  let isOpen = false
  await using loop = await startLoop({
    segment: ({ text }) => {
      if (!isOpen) return status(503)()
      return text.includes('"refiner_n":5') ? status(code)() : null
    },
  })
  await sendWebhooks(loop)
  const tenant = () => loop.daemon.health().tenants['acme']!
  await until(() => tenant().destinations.segment.pending === 2 * WEBHOOKS)
  isOpen = true
  await until(() => tenant().pending === 0 && tenant().dead === 1)
  expect(loop.segment.delivered).toHaveLength(2 * WEBHOOKS - 1)
})
