import { describe, expect, test } from 'bun:test'
import type { Socket } from 'node:net'
import { withResponse } from '../fixtures/refiner-webhook.ts'
import { SELF_SIGNED } from '../fixtures/self-signed.ts'
import { bearer, type Loop, startLoop, until } from '../support/loop.ts'
import { type Act, startRawPeer } from '../support/raw-peer.ts'

const HEAD = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n'
const write = (text: string) => (socket: Socket) => void socket.write(text, 'latin1')
const end = (text: string) => (socket: Socket) => void socket.end(text, 'latin1')

/** Writes a piece again and again, as long as somebody takes it. */
function drip(start: string, piece: string): Act {
  return (socket) => {
    socket.write(start)
    const timer = setInterval(() => socket.write(piece), 20)
    socket.on('close', () => clearInterval(timer))
  }
}

/** Writes as fast as it is read. */
const flood: Act = (socket) => {
  socket.write('HTTP/1.1 500 No\r\ncontent-length: 100000000000\r\n\r\n')
  const piece = 'x'.repeat(256 * 1024)
  const pour = () => {
    while (!socket.destroyed && socket.write(piece));
  }
  socket.on('drain', pour)
  pour()
}

function zipBomb(): Act {
  const body = Buffer.from(Bun.gzipSync(new Uint8Array(50_000_000)))
  return (socket) => {
    socket.write(`HTTP/1.1 500 No\r\ncontent-encoding: gzip\r\ncontent-length: ${body.length}\r\n\r\n`)
    socket.write(body)
  }
}

const WEBHOOKS = 4

async function sendWebhooks(loop: Loop, tenant = 'acme'): Promise<void> {
  for (let n = 0; n < WEBHOOKS; n++) {
    const body = withResponse({ uuid: `r-${n}`, data: { n } }, { remote_id: 'ada', account: null })
    const response = await loop.post(`/v1/refiner/${tenant}`, body, bearer(`${tenant}-webhook-secret`))
    expect(response.status).toBe(200)
  }
}

const lane = (loop: Loop, tenant = 'acme') => loop.daemon.health().tenants[tenant]!.destinations.segment

/** What waits, for its mapping or to be sent. */
const pending = (loop: Loop, tenant = 'acme') => loop.daemon.health().tenants[tenant]!.pending

/** The messages' places in the order, as the peer took them. */
function places(taken: readonly string[]): number[] {
  const batches = taken.map((text) => (JSON.parse(text) as { batch: Message[] }).batch)
  return batches.flat().map(({ type, traits, properties }) => {
    return 2 * (traits?.refiner_n ?? properties!.n) + (type === 'track' ? 1 : 0)
  })
}

interface Message {
  readonly type: string
  readonly traits?: { readonly refiner_n: number }
  readonly properties?: { readonly n: number }
}

describe('a peer that', () => {
  test.each<[string, Act]>([
    ['resets the connection', (socket) => void socket.resetAndDestroy()],
    [
      'resets it within the answer',
      (socket) => {
        socket.write(`${HEAD}content-length: 100\r\n\r\n{"ok":`, () => socket.resetAndDestroy())
      },
    ],
    ['ends it within the answer', end(`${HEAD}content-length: 100\r\n\r\n{"ok":`)],
    ['ends it within the head', end('HTTP/1.1 20')],
    ['says nothing', () => {}],
    ['drips its answer for ever', drip(`${HEAD}content-length: 100000\r\n\r\n`, ' ')],
    ['drips its head for ever', drip('HTTP/1.1 200 OK\r\n', 'x-a: b\r\n')],
    ['drips chunks for ever', drip(`${HEAD}transfer-encoding: chunked\r\n\r\n`, '1\r\n \r\n')],
    ['only says to continue', write('HTTP/1.1 100 Continue\r\n\r\n')],
    ['speaks another protocol', end('SSH-2.0-OpenSSH_9.6\r\n')],
    ['speaks in zeros', end('\0'.repeat(1000))],
    ['breaks its chunks', end(`${HEAD}transfer-encoding: chunked\r\n\r\nZZZ\r\n{}`)],
    ['says that plain text is gzip', end(`${HEAD}content-encoding: gzip\r\ncontent-length: 5\r\n\r\nplain`)],
    ['floods', flood],
    ['answers with a bomb', zipBomb()],
    ['redirects', write('HTTP/1.1 307 Go\r\nlocation: /v2/batch\r\ncontent-length: 0\r\n\r\n')],
    ['answers 200 with an error', write(`${HEAD}content-length: 17\r\n\r\n{"success":false}`)],
  ])('%s is tried again: everything arrives, in order', async (_, act) => {
    await using peer = await startRawPeer([act])
    await using loop = await startLoop({
      delivery: { timeoutMs: 300 },
      tenants: { acme: { segment: { endpoint: `${peer.url}/v1` } } },
    })
    await sendWebhooks(loop)
    await until(() => pending(loop) === 0)
    expect(lane(loop).dead).toBe(0)
    // A good answer that comes too late is asked for again.
    expect([...new Set(places(peer.taken))]).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
    expect(peer.requests).toBeGreaterThan(1)
  })
})

describe('an endpoint', () => {
  async function expectHeldUntilMended(endpoint: string): Promise<void> {
    await using loop = await startLoop({
      delivery: { timeoutMs: 1000 },
      tenants: { acme: { segment: { endpoint } } },
    })
    await sendWebhooks(loop)
    await until(() => lane(loop).last_error !== null && lane(loop).pending === 2 * WEBHOOKS)
    expect(lane(loop).dead).toBe(0)
    await loop.reload({ tenants: { acme: { segment: { endpoint: `${loop.segment.url}/v1` } } } })
    await until(() => pending(loop) === 0)
    expect(loop.segment.delivered).toHaveLength(2 * WEBHOOKS)
  }

  test('whose certificate nobody vouches for gets nothing, until the endpoint is mended', async () => {
    let requests = 0
    const server = Bun.serve({
      port: 0,
      hostname: '127.0.0.1',
      tls: SELF_SIGNED,
      fetch() {
        requests += 1
        return Response.json({})
      },
    })
    try {
      await expectHeldUntilMended(`https://127.0.0.1:${server.port}/v1`)
      expect(requests).toBe(0)
    } finally {
      await server.stop(true)
    }
  })

  test('that has no TLS where it should have holds everything, until it is mended', async () => {
    await using peer = await startRawPeer([])
    await expectHeldUntilMended(`${peer.url.replace('http:', 'https:')}/v1`)
    expect(peer.taken).toEqual([])
  })

  test('whose name leads nowhere holds everything, until it is mended', async () => {
    await expectHeldUntilMended('https://name.invalid/v1')
  })
})

test('a destination that is down is shown as such, costs no other tenant anything, and is caught up', async () => {
  let isDown = true
  await using loop = await startLoop({
    tenants: { acme: {}, other: {} },
    segment: ({ headers }) => {
      const isAcme = headers.get('authorization') === `Basic ${btoa('acme-write-key:')}`
      return isDown && isAcme ? new Response('', { status: 500 }) : null
    },
  })
  for (let n = 0; n < 6; n++) {
    const body = withResponse({ uuid: `a-${n}`, data: { n } }, { remote_id: `user-${n}`, account: null })
    await loop.post('/v1/refiner/acme', body, bearer('acme-webhook-secret'))
  }
  await until(() => ['open', 'half_open'].includes(lane(loop).state))
  const metrics = await (await fetch(`${loop.daemon.url}/metrics`)).text()
  expect(metrics).toContain('refiner_sync_circuit_open{tenant="acme",destination="segment"} 1')
  expect(metrics).toContain('refiner_sync_circuit_open{tenant="other",destination="segment"} 0')
  expect(loop.daemon.health().problems.join()).toContain('acme, segment: down, ')
  await sendWebhooks(loop, 'other')
  await until(() => pending(loop, 'other') === 0)
  expect(lane(loop, 'other').state).toBe('ok')
  isDown = false
  await until(() => pending(loop) === 0)
  expect(lane(loop)).toMatchObject({ state: 'ok', dead: 0 })
})

test('a storm of 429 burns no attempt, whatever its Retry-After says', async () => {
  const moments = ['Tue, 30 Apr 2024 00:00:00 GMT', '-5', 'soon', '0', '']
  let storms = 8
  await using loop = await startLoop({
    segment: () => {
      if (storms-- <= 0) return null
      return new Response('', { status: 429, headers: { 'retry-after': moments[storms % moments.length]! } })
    },
  })
  await sendWebhooks(loop)
  await until(() => pending(loop) === 0)
  expect(lane(loop).dead).toBe(0)
  expect(loop.segment.delivered).toHaveLength(2 * WEBHOOKS)
})
