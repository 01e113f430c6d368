import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { Database } from 'bun:sqlite'
import { createHmac } from 'node:crypto'
import { connect } from 'node:net'
import { gzipSync } from 'node:zlib'
import { completedSurvey } from '../fixtures/refiner-webhook.ts'
import { basic, bearer, type Loop, startLoop, until } from '../support/loop.ts'

/** The status codes of every route, as Segment and Refiner meet them: over sockets, on a real database. */
let loop: Loop
let count = 0
/** A message that was never sent before. */
const identify = (over: Record<string, unknown> = {}) => {
  count += 1
  return { type: 'identify', userId: 'user-1', messageId: `m-${count}`, traits: { n: count }, ...over }
}
const key = basic('acme-destination-key')
const webhook = bearer('acme-webhook-secret')
const sign = (text: string, secret = 'acme-shared-secret') => ({
  'x-signature': createHmac('sha1', secret).update(text).digest('hex'),
})

beforeAll(async () => {
  loop = await startLoop({
    tenants: {
      acme: {},
      unsigned: { segment: { sharedSecret: null } },
      off: { enabled: false },
      'one-way': { toRefiner: { enabled: false } },
      'other-way': { toSegment: { enabled: false } },
      pages: { toRefiner: { pages: true } },
      header: { refiner: { webhook: { in: 'header', secret: 'h-secret', name: 'X-Secret' } } },
      query: { refiner: { webhook: { in: 'query', secret: 'q-secret', name: 'token' } } },
      hmac: {
        refiner: {
          webhook: { in: 'hmac', secret: 'm-secret', name: 'X-Sig', algorithm: 'sha256', encoding: 'hex' },
        },
      },
      hmac64: {
        refiner: {
          webhook: { in: 'hmac', secret: 'm-secret', name: 'X-Sig', algorithm: 'sha512', encoding: 'base64' },
        },
      },
    },
  })
})
afterAll(async () => {
  await loop[Symbol.asyncDispose]()
})

async function outcome(path: string, body: unknown, headers: Record<string, string> = {}) {
  const response = await loop.post(path, body, headers)
  expect(response.headers.get('content-type')).toContain('application/json')
  return { status: response.status, body: (await response.json()) as Record<string, unknown> }
}

async function expectRefusal(
  status: number,
  message: string,
  path: string,
  body: unknown,
  headers: Record<string, string> = key,
) {
  const answer = await outcome(path, body, headers)
  expect(answer.status).toBe(status)
  expect(answer.body['message']).toContain(message)
}

describe('the direct destination', () => {
  test('takes a message with the API key as Basic user name or as Bearer', async () => {
    expect(await outcome('/v1/segment', identify(), key)).toMatchObject({
      status: 200,
      body: { accepted: 1 },
    })
    const asBearer = bearer('acme-destination-key')
    expect(await outcome('/v1/segment', identify(), asBearer)).toMatchObject({
      status: 200,
      body: { accepted: 1 },
    })
  })

  test('answers 200 to a copy, and keeps it once', async () => {
    const message = identify()
    await outcome('/v1/segment', message, key)
    expect(await outcome('/v1/segment', message, key)).toMatchObject({
      status: 200,
      body: { accepted: 0, duplicates: 1 },
    })
  })

  test.each([
    ['none', {}],
    ['an unknown one', basic('nobodys-key')],
    ['one with other casing', basic('ACME-destination-key')],
    ['an empty one', basic('')],
    ['a write key', basic('acme-write-key')],
    ['garbage', { authorization: 'Basic %%%' }],
    ['another scheme', { authorization: 'Digest x' }],
  ])('answers 401 to a key that is not one: %s', async (_, headers) => {
    await expectRefusal(401, 'API key', '/v1/segment', identify(), headers)
  })

  test('answers 403 where the tenant or the direction is switched off, to those with the key', async () => {
    await expectRefusal(403, 'switched off', '/v1/segment', identify(), basic('off-destination-key'))
    await expectRefusal(
      403,
      'to_refiner.enabled',
      '/v1/segment',
      identify(),
      basic('one-way-destination-key'),
    )
  })

  test.each([
    ['is empty', '', 'empty'],
    ['is not JSON', '{"type":', 'not valid JSON'],
    ['is a text', '"identify"', 'must be a JSON object'],
    ['is null', 'null', 'must be a JSON object'],
    ['is broken UTF-8', new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x7d]), 'UTF-8'],
    ['is 100,000 levels deep', `${'['.repeat(100_000)}${']'.repeat(100_000)}`, 'nested deeper'],
    ['has no type', { userId: 'u' }, '"type" is missing'],
    ['has no user ID', { type: 'identify', anonymousId: 'a' }, '"userId" is missing'],
    ['has an empty user ID', { type: 'identify', userId: ' ' }, '"userId" is missing'],
    ['has an object as user ID', { type: 'identify', userId: {} }, '"userId" must be a string'],
    ['is a track without event', { type: 'track', userId: 'u' }, '"event" is missing'],
    ['is a group without group ID', { type: 'group', userId: 'u' }, '"groupId" is missing'],
    ['has a list as traits', { type: 'identify', userId: 'u', traits: [1] }, '"traits" must be'],
    ['has a NUL in its user ID', { type: 'identify', userId: 'u\0' }, '"userId" must be text'],
    [
      'has half a character in its group ID',
      { type: 'group', userId: 'u', groupId: '\ud800' },
      '"groupId" must be',
    ],
    ['has a batch that is none', { batch: {} }, '"batch" must be an array'],
    ['has an empty batch', { batch: [] }, 'no message'],
    ['is an empty array', [], 'no message'],
    ['is an array of texts', ['x'], 'must be a JSON object'],
  ])('answers 400 when the body %s', async (_, body, message) => {
    await expectRefusal(400, message, '/v1/segment', body)
  })

  test.each(['page', 'screen', 'alias', 'Page', 'order'])('answers 501 to the type %s', async (type) => {
    await expectRefusal(501, 'not supported', '/v1/segment', { type, userId: 'u' })
  })

  test('takes pages and screens for a tenant that wants them', async () => {
    const pages = basic('pages-destination-key')
    expect((await outcome('/v1/segment', identify({ type: 'page' }), pages)).status).toBe(200)
    expect((await outcome('/v1/segment', identify({ type: 'screen' }), pages)).status).toBe(200)
    expect((await outcome('/v1/segment', identify({ type: 'alias' }), pages)).status).toBe(501)
  })

  test('takes deletions', async () => {
    const deletion = { type: 'delete', userId: 'user-to-delete', messageId: 'd-1' }
    expect((await outcome('/v1/segment', deletion, key)).status).toBe(200)
  })

  test('answers 413 over the limit, announced, in chunks or compressed', async () => {
    const large = JSON.stringify(identify({ traits: { x: 'x'.repeat(1024 * 1024) } }))
    await expectRefusal(413, 'server.max_body', '/v1/segment', large)
    await expectRefusal(413, 'server.max_body', '/v1/segment', gzipSync(large), {
      ...key,
      'content-encoding': 'gzip',
    })
    const chunks = new ReadableStream({
      start(controller) {
        for (let n = 0; n < 3; n++) controller.enqueue(new TextEncoder().encode(large))
        controller.close()
      },
    })
    const response = await fetch(`${loop.daemon.url}/v1/segment`, {
      method: 'POST',
      headers: key,
      body: chunks,
    })
    expect(response.status).toBe(413)
  })

  test('says 400 to a body that is not what its encoding says', async () => {
    await expectRefusal(400, 'Content-Encoding', '/v1/segment', identify(), {
      ...key,
      'content-encoding': 'gzip',
    })
    await expectRefusal(400, 'Content-Encoding', '/v1/segment', identify(), {
      ...key,
      'content-encoding': 'br',
    })
  })

  test('keeps the good messages of a batch and names the bad ones by their place', async () => {
    const messages = [identify(), { type: 'page', userId: 'u' }, identify(), { type: 'track', userId: 'u' }]
    for (const body of [
      messages,
      { batch: messages.map((message) => ({ ...message, messageId: undefined })) },
    ]) {
      expect(await outcome('/v1/segment', body, key)).toMatchObject({
        status: 200,
        body: {
          accepted: 2,
          errors: [
            { index: 1, status: 501, message: expect.stringContaining('not supported') },
            { index: 3, status: 400, message: expect.stringContaining('"event"') },
          ],
        },
      })
    }
  })

  test('is an error for a batch only when nothing of it can be kept', async () => {
    const page = { type: 'page', userId: 'u' }
    expect(await outcome('/v1/segment', [page, page], key)).toMatchObject({
      status: 501,
      body: { message: expect.stringContaining('none of the 2'), errors: [{ index: 0 }, { index: 1 }] },
    })
    expect((await outcome('/v1/segment', [page, { type: 'track' }], key)).status).toBe(400)
  })

  test('answers a body of trash with no more than a thousand reasons', async () => {
    const { status, body } = await outcome('/v1/segment', Array(20_000).fill(0), key)
    expect(status).toBe(400)
    expect(body['errors']).toHaveLength(1000)
  })

  test('tells those who look with a browser that the URL takes POST', async () => {
    for (const path of ['/v1/segment', '/v1/segment/acme', '/v1/refiner/acme', '/v1/batch']) {
      const response = await fetch(loop.daemon.url + path)
      expect(response.status).toBe(405)
      expect(response.headers.get('allow')).toBe('POST')
    }
  })

  test.each(['userId', 'userid', 'user_id', 'UserID', 'User ID', 'USER-ID'])(
    'reads %s as the user ID',
    async (name) => {
      const { userId: _, ...message } = identify()
      expect((await outcome('/v1/segment', { ...message, [name]: 'user-1' }, key)).status).toBe(200)
    },
  )
})

describe('the Webhooks destination', () => {
  test('takes what is signed with the shared secret, and what comes with an API key of the tenant', async () => {
    const text = JSON.stringify(identify())
    expect((await outcome('/v1/segment/acme', text, sign(text))).status).toBe(200)
    expect((await outcome('/v1/segment/acme', identify(), key)).status).toBe(200)
  })

  test('takes a batch that is signed by its first message, as Segment does', async () => {
    const batch = [identify(), identify()]
    const signature = sign(JSON.stringify(batch[0]))
    expect(await outcome('/v1/segment/acme', batch, signature)).toMatchObject({
      status: 200,
      body: { accepted: 2 },
    })
  })

  test('answers 401, with the same words, to every key and signature that does not fit', async () => {
    const text = JSON.stringify(identify())
    const refused = [
      await outcome('/v1/segment/acme', text),
      await outcome('/v1/segment/acme', text, sign(text, 'wrong')),
      await outcome('/v1/segment/acme', text, sign(`${text} `)),
      await outcome('/v1/segment/acme', text, { 'x-signature': '' }),
      await outcome('/v1/segment/acme', text, basic('pages-destination-key')),
      await outcome('/v1/segment/nobody', text, sign(text)),
      await outcome('/v1/segment/nobody', text, key),
      await outcome('/v1/segment/__proto__', text, key),
      await outcome('/v1/segment/unsigned', text, sign(text, '')),
      await outcome('/v1/segment/unsigned', text, sign(text, 'null')),
      await outcome('/v1/segment/acme', text, sign('')),
      await outcome('/v1/segment/acme', 'no JSON', sign('')),
      await outcome('/v1/segment/acme', '[]', sign('')),
    ]
    for (const answer of refused) expect(answer).toEqual({ status: 401, body: refused[0]!.body })
  })

  test('answers 403 only to those with the key', async () => {
    await expectRefusal(403, 'switched off', '/v1/segment/off', identify(), basic('off-destination-key'))
    await expectRefusal(401, 'API key', '/v1/segment/off', identify())
  })
})

describe("the Tracking API's routes", () => {
  test.each([
    ['/v1/identify', {}],
    ['/v1/track', { event: 'Clicked' }],
    ['/v1/group', { groupId: 'g' }],
  ])('%s takes its own type', async (path, over) => {
    const { type: _, ...message } = identify(over)
    expect((await outcome(path, message, key)).status).toBe(200)
  })

  test.each(['/v1/page', '/v1/screen', '/v1/alias'])('%s is answered 501', async (path) => {
    await expectRefusal(501, 'not supported', path, { userId: 'u' })
  })

  test('/v1/batch merges its context and integrations under those of every message', async () => {
    const batch = [identify({ context: { ip: 'own' } }), identify()]
    const body = { batch, context: { ip: 'shared', page: 1 }, integrations: { All: false } }
    expect(await outcome('/v1/batch', body, key)).toMatchObject({ status: 200, body: { accepted: 2 } })
    using db = new Database(loop.configuration.database.path, { readonly: true })
    const stored = (id: string) => {
      const row = db.query('select payload from inbox where dedup_key = ?').get(id) as { payload: string }
      return JSON.parse(row.payload) as unknown
    }
    const [first, second] = batch.map(({ messageId }) => stored(messageId))
    expect(first).toMatchObject({ context: { ip: 'own', page: 1 }, integrations: { All: false } })
    expect(second).toMatchObject({ context: { ip: 'shared', page: 1 }, integrations: { All: false } })
  })

  test('take the write key in the body, and gzip', async () => {
    const body = gzipSync(JSON.stringify({ batch: [identify()], writeKey: 'acme-destination-key' }))
    expect((await outcome('/v1/batch', body, { 'content-encoding': 'gzip' })).status).toBe(200)
  })

  test('answer 401 to a write key that is none', async () => {
    await expectRefusal(401, 'API key', '/v1/batch', { batch: [identify()], writeKey: 'no' }, {})
    await expectRefusal(401, 'API key', '/v1/batch', { batch: [identify()] }, {})
    const body = { batch: [identify()], writeKey: 'acme-destination-key' }
    await expectRefusal(401, 'API key', '/v1/batch', body, basic('no'))
    await expectRefusal(401, 'API key', '/v1/batch', 'not JSON', {})
  })
})

describe('the Refiner webhook', () => {
  const digest = (algorithm: string, encoding: 'hex' | 'base64', text: string) =>
    createHmac(algorithm, 'm-secret').update(text).digest(encoding)
  const text = JSON.stringify(completedSurvey())

  test.each([
    ['/v1/refiner/acme', webhook],
    ['/v1/refiner/header', { 'x-secret': 'h-secret' }],
    ['/v1/refiner/query?token=q-secret', {}],
    ['/v1/refiner/hmac', { 'x-sig': digest('sha256', 'hex', text) }],
    ['/v1/refiner/hmac', { 'x-sig': `sha256=${digest('sha256', 'hex', text).toUpperCase()}` }],
    ['/v1/refiner/hmac64', { 'x-sig': digest('sha512', 'base64', text) }],
  ])('%s takes its secret where the configuration says', async (path, headers) => {
    expect((await outcome(path, text, headers)).status).toBe(200)
  })

  test('answers 401, with the same words, wherever the secret does not fit', async () => {
    const refused = [
      await outcome('/v1/refiner/acme', text),
      await outcome('/v1/refiner/acme', text, bearer('wrong')),
      await outcome('/v1/refiner/acme', text, bearer('header-webhook-secret')),
      await outcome('/v1/refiner/acme?secret=acme-webhook-secret', text),
      await outcome('/v1/refiner/nobody', text, webhook),
      await outcome('/v1/refiner/header', text, { 'x-other': 'h-secret' }),
      await outcome('/v1/refiner/query?token=Q-SECRET', text),
      await outcome('/v1/refiner/hmac', `${text} `, { 'x-sig': digest('sha256', 'hex', text) }),
      await outcome('/v1/refiner/hmac', text, { 'x-sig': 'm-secret' }),
      await outcome('/v1/refiner/hmac64', text, { 'x-sig': digest('sha512', 'base64', text).toLowerCase() }),
    ]
    for (const answer of refused) expect(answer).toEqual({ status: 401, body: refused[0]!.body })
  })

  test('answers 403 where the tenant or the direction is switched off', async () => {
    await expectRefusal(403, 'switched off', '/v1/refiner/off', text, bearer('off-webhook-secret'))
    await expectRefusal(403, 'to_segment', '/v1/refiner/other-way', text, bearer('other-way-webhook-secret'))
  })

  test.each([
    ['{', 'not valid JSON'],
    ['[]', 'no webhook of Refiner'],
    ['{}', 'no webhook of Refiner'],
    ['{"hello":"world"}', 'no webhook of Refiner'],
  ])('answers 400 to %s', async (body, message) => {
    await expectRefusal(400, message, '/v1/refiner/acme', body, webhook)
  })

  test('answers 413 over the limit', async () => {
    const body = completedSurvey({ attributes: { x: 'x'.repeat(1024 * 1024) } })
    await expectRefusal(413, 'larger than', '/v1/refiner/acme', body, webhook)
  })

  test('keeps the same body once', async () => {
    const body = completedSurvey({ remote_id: 'twice' })
    await outcome('/v1/refiner/acme', body, webhook)
    expect(await outcome('/v1/refiner/acme', body, webhook)).toMatchObject({
      status: 200,
      body: { accepted: 0, duplicates: 1 },
    })
  })
})

test('a client that goes away in the midst of its body counts as its own mistake, not as ours', async () => {
  const metrics = async () => (await fetch(`${loop.daemon.url}/metrics`)).text()
  const refused = async () => {
    const count = /answers_total\{route="\/v1\/refiner\/:tenant",status="400"\} (\d+)/.exec(await metrics())
    return Number(count?.[1] ?? 0)
  }
  const before = await refused()
  const { port } = new URL(loop.daemon.url)
  const head = 'POST /v1/refiner/nobody HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\nhalf'
  const socket = connect(Number(port), '127.0.0.1', () => socket.write(head, () => socket.destroy()))
  await until(async () => (await refused()) === before + 1)
  expect(await metrics()).not.toContain('status="500"')
})

describe('monitoring', () => {
  test('answers without a key, and says nothing of keys or people', async () => {
    for (const path of ['/health', '/livez', '/readyz', '/metrics']) {
      const response = await fetch(loop.daemon.url + path)
      expect(response.status).toBe(200)
      expect(await response.text()).not.toMatch(/secret|-key|user-1|ada@example/)
    }
  })

  test('/health has every tenant and destination', async () => {
    const health = (await (await fetch(`${loop.daemon.url}/health`)).json()) as Record<string, unknown>
    expect(health).toMatchObject({
      version: expect.any(String),
      uptime_seconds: expect.any(Number),
      database: { status: 'ok' },
      tenants: {
        acme: {
          pending: expect.any(Number),
          dead: 0,
          destinations: { segment: { dead: 0, last_error: null }, refiner: { dead: 0 } },
        },
      },
    })
  })

  test('/metrics counts what was accepted', async () => {
    const text = await (await fetch(`${loop.daemon.url}/metrics`)).text()
    expect(text).toMatch(/^refiner_sync_accepted_total\{tenant="acme",source="segment"\} [1-9]/m)
    expect(text).toMatch(/^refiner_sync_http_answers_total\{route="\/v1\/segment",status="401"\} [1-9]/m)
  })

  test('unknown routes are answered 404 with what was asked for', async () => {
    const response = await fetch(`${loop.daemon.url}/v1/segments`, { method: 'POST' })
    expect(response.status).toBe(404)
    expect(await response.json()).toMatchObject({ message: 'there is no POST /v1/segments here' })
  })
})
