import { afterEach, describe, expect, test } from 'bun:test'
import { createConnection } from 'node:net'
import { Analytics } from '@segment/analytics-node'
import { type RefinerStandInOptions, startRefinerStandIn } from '../../src/demo/refiner-stand-in.ts'
import type { Fault, PeerRequest } from '../../src/demo/scripted-server.ts'
import { type SegmentStandInOptions, startSegmentStandIn } from '../../src/demo/segment-stand-in.ts'

const running: { stop(): Promise<void> }[] = []
afterEach(async () => {
  for (const standIn of running.splice(0)) await standIn.stop()
})

function segment(options: Partial<SegmentStandInOptions> = {}) {
  const standIn = startSegmentStandIn({ writeKeys: ['key-1'], ...options })
  running.push(standIn)
  return standIn
}

function refiner(options: Partial<RefinerStandInOptions> = {}) {
  const standIn = startRefinerStandIn({ apiKeys: ['key-1'], ...options })
  running.push(standIn)
  return standIn
}

const basic = (key: string) => ({ authorization: `Basic ${btoa(`${key}:`)}` })
const bearer = (key: string) => ({ authorization: `Bearer ${key}` })

function post(url: string, body: unknown, headers: Record<string, string> = basic('key-1')) {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return fetch(url, { method: 'POST', headers, body: text })
}

const track = (messageId: string, more: object = {}) => ({
  type: 'track',
  userId: 'user-1',
  event: 'Tried',
  messageId,
  ...more,
})

describe("Segment's stand-in takes", () => {
  test('a batch, and merges its context and integrations into each message', async () => {
    const standIn = segment()
    const answer = await post(`${standIn.url}/v1/batch`, {
      batch: [track('m-1', { context: { ip: '192.0.2.1' } }), track('m-2', { integrations: { Own: true } })],
      context: { ip: '192.0.2.9', library: { name: 'x' } },
      integrations: { All: false },
    })

    expect([answer.status, await answer.json()]).toEqual([200, { success: true }])
    expect(standIn.messages.map(({ order, writeKey, dropped }) => [order, writeKey, dropped])).toEqual([
      [0, 'key-1', null],
      [1, 'key-1', null],
    ])
    expect(standIn.messages[0]?.message).toEqual(
      track('m-1', {
        context: { ip: '192.0.2.1', library: { name: 'x' } },
        integrations: { All: false },
      }),
    )
    expect(standIn.messages[1]?.message.integrations).toEqual({ All: false, Own: true })
  })

  test.each(['identify', 'track', 'group', 'page', 'screen', 'alias'])(
    'a single %s, with its type from the route',
    async (type) => {
      const standIn = segment()
      await post(`${standIn.url}/v1/${type}`, { userId: 'user-1', event: 'Tried' })
      expect(standIn.messages.map(({ message }) => message.type)).toEqual([type])
    },
  )

  test('the write key in the body, and leaves it out of the message', async () => {
    const standIn = segment()
    await post(`${standIn.url}/v1/identify`, { writeKey: 'key-1', userId: 'user-1' }, {})
    await post(`${standIn.url}/v1/batch`, { writeKey: 'key-1', batch: [track('m-1')] }, {})
    expect(standIn.messages.map(({ writeKey, message }) => [writeKey, 'writeKey' in message])).toEqual([
      ['key-1', false],
      ['key-1', false],
    ])
  })

  test('a gzip body', async () => {
    const standIn = segment()
    const body = Bun.gzipSync(JSON.stringify({ batch: [track('m-1')] }))
    const headers = { ...basic('key-1'), 'content-encoding': 'gzip' }
    const answer = await fetch(`${standIn.url}/v1/batch`, { method: 'POST', headers, body })
    expect(answer.status).toBe(200)
    expect(standIn.delivered).toHaveLength(1)
  })

  test("Segment's own client", async () => {
    const standIn = segment()
    const client = new Analytics({ writeKey: 'key-1', host: standIn.url, flushAt: 2 })
    client.identify({ userId: 'user-1', traits: { plan: 'pro' } })
    client.track({ userId: 'user-1', event: 'Tried' })
    await client.closeAndFlush()
    expect(standIn.delivered.map(({ writeKey, message }) => [writeKey, message.type])).toEqual([
      ['key-1', 'identify'],
      ['key-1', 'track'],
    ])
  })
})

describe("Segment's stand-in answers 400 to", () => {
  const wide = (bytes: number) => 'x'.repeat(bytes)
  const cases: readonly (readonly [what: string, path: string, body: unknown])[] = [
    ['bad JSON', '/v1/batch', '{"batch":['],
    ['a batch that is no array', '/v1/batch', { batch: {} }],
    ['a single message over 32 KB', '/v1/track', track('m-1', { properties: { wide: wide(33_000) } })],
    [
      'a message over 32 KB in a batch',
      '/v1/batch',
      { batch: [track('m-1', { properties: { wide: wide(33_000) } })] },
    ],
    [
      'a batch over 500 KB',
      '/v1/batch',
      {
        batch: Array.from({ length: 17 }, (_, i) => track(`m-${i}`, { properties: { wide: wide(31_000) } })),
      },
    ],
  ]

  test.each(cases)('%s, and records nothing', async (_what, path, body) => {
    const standIn = segment()
    const answer = await post(`${standIn.url}${path}`, body)
    expect([answer.status, standIn.messages.length, standIn.requests]).toEqual([400, 0, 1])
  })

  test('a body that says gzip and is not', async () => {
    const standIn = segment()
    const answer = await post(`${standIn.url}/v1/batch`, '{}', { 'content-encoding': 'gzip' })
    expect(answer.status).toBe(400)
  })
})

describe("Segment's stand-in answers 200 and drops", () => {
  test('copies by messageId, over all requests', async () => {
    const standIn = segment()
    await post(`${standIn.url}/v1/batch`, { batch: [track('m-1', { event: 'First' }), track('m-1')] })
    await post(`${standIn.url}/v1/track`, track('m-1'))
    await post(`${standIn.url}/v1/track`, track('m-2'))
    expect(standIn.messages).toHaveLength(4)
    expect(standIn.delivered.map(({ order, message }) => [order, message.event])).toEqual([
      [0, 'First'],
      [3, 'Tried'],
    ])
  })

  test.each([
    ['a message without a user', { type: 'identify', traits: {} }, 'no userId and no anonymousId'],
    ['a track without an event', { type: 'track', userId: 'user-1' }, 'a track without an event'],
  ])('%s', async (_what, message, reason) => {
    const standIn = segment()
    const answer = await post(`${standIn.url}/v1/batch`, { batch: [message] })
    expect([answer.status, standIn.messages[0]?.dropped, standIn.delivered]).toEqual([200, reason, []])
  })

  test('what comes with an unknown write key or none', async () => {
    const standIn = segment()
    await post(`${standIn.url}/v1/track`, track('m-1'), basic('key-2'))
    await post(`${standIn.url}/v1/track`, track('m-2'), {})
    expect(standIn.messages.map(({ dropped }) => dropped)).toEqual(['unknown write key', 'no write key'])
  })

  test('a batch of more than 2500 messages', async () => {
    const standIn = segment()
    const batch = Array.from({ length: 2501 }, (_, i) => track(`m-${i}`))
    expect((await post(`${standIn.url}/v1/batch`, { batch })).status).toBe(200)
    expect([standIn.messages.length, standIn.delivered.length]).toEqual([2501, 0])
  })
})

describe("Refiner's stand-in", () => {
  test.each([
    ['Bearer', '', bearer('key-1')],
    ['Basic', '', basic('key-1')],
    ['api_key', '?api_key=key-1', {}],
  ])('verifies a key that comes by %s', async (_how, query, headers) => {
    const standIn = refiner()
    const answer = await fetch(`${standIn.url}/v1/${query}`, { headers })
    expect(answer.status).toBe(200)
    expect(await answer.json()).toMatchObject({ message: 'Authentication successful' })
  })

  test('refuses an unknown key and none with 401 and a message', async () => {
    const standIn = refiner()
    const body = { id: 'user-1' }
    for (const headers of [bearer('key-2'), {}]) {
      const answer = await post(`${standIn.url}/v1/identify-user`, body, headers)
      expect([answer.status, await answer.json()]).toEqual([
        401,
        { message: 'API key not valid or does not exist' },
      ])
    }
    expect([standIn.calls.length, standIn.requests]).toEqual([0, 2])
  })

  test('answers identify-user with a contact uuid that stays the same for an id', async () => {
    const standIn = refiner()
    const uuidOf = async (body: object) => {
      const answer = await post(`${standIn.url}/v1/identify-user`, body, bearer('key-1'))
      const { contact_uuid } = (await answer.json()) as { contact_uuid: string }
      return contact_uuid
    }
    const first = await uuidOf({ id: 'user-1', plan: 'pro' })
    expect(await uuidOf({ id: 'user-1', email: 'ada@example.com' })).toBe(first)
    expect(await uuidOf({ email: 'ada@example.com' })).not.toBe(first)
  })

  test('logs the calls that it accepts', async () => {
    const told: unknown[] = []
    const standIn = refiner({ onCall: (call) => told.push(call) })
    await post(`${standIn.url}/v1/identify-user`, { id: 'user-1', api_key: 'key-1' }, {})
    await post(`${standIn.url}/v1/track-event`, { email: 'ada@example.com', event: 'Tried' }, bearer('key-1'))
    expect(standIn.calls).toEqual([
      { order: 0, method: 'POST', path: '/v1/identify-user', body: { id: 'user-1' }, apiKey: 'key-1' },
      {
        order: 1,
        method: 'POST',
        path: '/v1/track-event',
        body: { email: 'ada@example.com', event: 'Tried' },
        apiKey: 'key-1',
      },
    ])
    expect(told).toEqual([...standIn.calls])
  })

  test.each([
    ['identify-user without id and email', 'identify-user', { plan: 'pro' }, 400],
    ['track-event without an event', 'track-event', { id: 'user-1' }, 400],
    ['bad JSON', 'identify-user', '{', 400],
    ['an unknown path', 'nothing', {}, 404],
  ])('refuses %s', async (_what, path, body, status) => {
    const standIn = refiner()
    const answer = await post(`${standIn.url}/v1/${path}`, body, bearer('key-1'))
    expect([answer.status, standIn.calls.length]).toEqual([status, 0])
    expect(await answer.json()).toHaveProperty('message')
  })
})

describe('A scripted fault', () => {
  test('is asked with path and body, and null lets the request through', async () => {
    const asked: Pick<PeerRequest, 'path' | 'body'>[] = []
    const standIn = segment({
      respond({ path, body }) {
        asked.push({ path, body })
        return null
      },
    })
    await post(`${standIn.url}/v1/track?x=1`, track('m-1'))
    expect(asked).toEqual([{ path: '/v1/track', body: track('m-1') }])
    expect(standIn.delivered).toHaveLength(1)
  })

  test('answers as told, each time, and records nothing', async () => {
    const busy = new Response('busy', { status: 429, headers: { 'retry-after': '7' } })
    const standIn = segment({ respond: () => busy })
    for (let attempt = 1; attempt <= 2; attempt++) {
      const answer = await post(`${standIn.url}/v1/track`, track('m-1'))
      expect([answer.status, answer.headers.get('retry-after'), await answer.text()]).toEqual([
        429,
        '7',
        'busy',
      ])
    }
    expect([standIn.messages.length, standIn.requests]).toEqual([0, 2])
  })

  test('can change from one request to the next', async () => {
    const faults: Fault[] = [new Response(null, { status: 500 }), 'drop']
    const standIn = refiner({ respond: async () => faults.shift() ?? null })
    const attempt = () => post(`${standIn.url}/v1/identify-user`, { id: 'user-1' }, bearer('key-1'))
    expect((await attempt()).status).toBe(500)
    expect(await outcome(attempt())).toBe('failed')
    expect((await attempt()).status).toBe(200)
    expect([standIn.calls.length, standIn.requests]).toEqual([1, 3])
  })

  test('drop closes the connection without a byte', async () => {
    const standIn = segment({ respond: () => 'drop' })
    expect(await bytesUntilClosed(standIn.url, '/v1/track', '{}')).toBe('')
    expect(standIn.messages).toEqual([])
  })
})

describe('stop', () => {
  test('ends hanging requests at once, and may be called again', async () => {
    const reached = Promise.withResolvers<void>()
    const standIn = segment({
      respond() {
        reached.resolve()
        return 'hang'
      },
    })
    const hanging = outcome(post(`${standIn.url}/v1/track`, track('m-1')))
    await reached.promise
    await Promise.all([standIn.stop(), standIn.stop()])
    await standIn.stop()
    expect(await hanging).toBe('failed')
    expect(standIn.messages).toEqual([])
  })

  test('does not wait for a script that never decides', async () => {
    const reached = Promise.withResolvers<void>()
    const standIn = refiner({
      respond() {
        reached.resolve()
        return new Promise<null>(() => {})
      },
    })
    const undecided = outcome(post(`${standIn.url}/v1/identify-user`, {}, bearer('key-1')))
    await reached.promise
    await standIn.stop()
    expect(await undecided).toBe('failed')
  })

  test('refuses connections afterwards', async () => {
    const standIn = refiner()
    await standIn.stop()
    expect(await outcome(fetch(`${standIn.url}/v1/`))).toBe('failed')
  })
})

describe('until', () => {
  test('resolves when enough has arrived', async () => {
    const standIn = segment()
    const two = standIn.until((messages) => messages.length >= 2, AbortSignal.timeout(5_000))
    await post(`${standIn.url}/v1/track`, track('m-1'))
    await post(`${standIn.url}/v1/track`, track('m-2'))
    await two
    await standIn.until((messages) => messages.length >= 2, AbortSignal.timeout(5_000))
  })

  test.each([
    ['a deadline', () => AbortSignal.timeout(1)],
    ['an aborted signal', () => AbortSignal.abort(new Error('too late'))],
  ])('rejects on %s', async (_what, signal) => {
    const standIn = segment()
    expect(await outcome(standIn.until(() => false, signal()))).toBe('failed')
  })
})

function outcome(promise: Promise<unknown>): Promise<'succeeded' | 'failed'> {
  return promise.then(
    () => 'succeeded',
    () => 'failed',
  )
}

/** What a raw socket reads between its request and the end of the connection. */
function bytesUntilClosed(url: string, path: string, body: string): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>()
  const { hostname, port } = new URL(url)
  const socket = createConnection(Number(port), hostname)
  let read = ''
  socket.on('data', (chunk) => (read += chunk.toString()))
  socket.on('error', () => {})
  socket.on('close', () => resolve(read))
  socket.write(`POST ${path} HTTP/1.1\r\nHost: ${hostname}\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
  return promise
}
