import { afterAll, beforeAll, expect, test } from 'bun:test'
import fc from 'fast-check'
import { completedSurvey } from '../fixtures/refiner-webhook.ts'
import { type Loop, startLoop } from '../support/loop.ts'
import { exchange } from '../support/raw-client.ts'

/** Every route under requests that nobody foresaw: whatever comes, it is answered, and never with a 500. */
let loop: Loop

beforeAll(async () => {
  loop = await startLoop({
    tenants: {
      acme: {},
      pages: { toRefiner: { pages: true } },
      query: { refiner: { webhook: { in: 'query', secret: 'acme-webhook-secret', name: 'token' } } },
      hmac: {
        refiner: {
          webhook: { in: 'hmac', secret: 'm', name: 'X-Sig', algorithm: 'sha256', encoding: 'hex' },
        },
      },
    },
    adminToken: 'admin',
  })
})
afterAll(async () => {
  const health = (await (await fetch(`${loop.daemon.url}/health`)).json()) as Record<string, unknown>
  expect(health).toMatchObject({ database: { status: 'ok' } })
  expect(await (await fetch(`${loop.daemon.url}/metrics`)).text()).not.toContain('status="500"')
  await loop[Symbol.asyncDispose]()
})

interface Sent {
  readonly method: string
  readonly target: string
  readonly headers: readonly (readonly [string, string])[]
  readonly body: Uint8Array
  readonly chunked: boolean
}

const ROUTES = (
  '/v1/segment /v1/segment/acme /v1/segment/pages /v1/segment/nobody /v1/identify /v1/track /v1/group /v1/page ' +
  '/v1/screen /v1/alias /v1/batch /v1/refiner/acme /v1/refiner/query /v1/refiner/hmac /v1/refiner/nobody /health ' +
  '/livez /readyz /metrics /ui /api/status /api/deliveries /api/deliveries/1 /api/deliveries/replay ' +
  '/api/deliveries/1/replay /api/reload /api/nothing /'
).split(' ')
const METHODS = ['GET', 'POST', 'POST', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']
const AUTHORIZATIONS = [
  'Bearer acme-destination-key',
  `Basic ${btoa('acme-destination-key:')}`,
  'Bearer acme-webhook-secret',
  'Bearer admin',
  `Basic ${btoa('x:admin')}`,
]
const QUERY_NAMES = [
  'token',
  'state',
  'tenant',
  'destination',
  'limit',
  'after',
  'until',
  'reason',
  'a[b]',
  '__proto__',
]
const FIELDS = (
  'type userId user_id UserID anonymousId groupId event name messageId timestamp traits properties context ' +
  'integrations batch writeKey __proto__ constructor toString triggered_event response form remote_id uuid segments ' +
  'attributes account data tags'
).split(' ')
const VALUES = [
  'identify',
  'track',
  'group',
  'page',
  'delete',
  'Completed Survey',
  'Saw Survey',
  'acme-destination-key',
]

/** What an HTTP parser lets into a header's value: Latin-1 without control characters. */
const headerValue = fc
  .array(fc.oneof(fc.integer({ min: 0x20, max: 0x7e }), fc.integer({ min: 0xa0, max: 0xff })), {
    maxLength: 40,
  })
  .map((codes) => String.fromCharCode(...codes).trim())
const targetText = fc
  .array(
    fc.oneof(
      fc.constantFrom('%', '%ff', '%00', '%2f', '..', '/', '?', '&', '=', '#', ':'),
      fc.stringMatching(/^[!-~]$/),
    ),
    {
      maxLength: 12,
    },
  )
  .map((parts) => parts.join(''))
const queryText = fc
  .array(
    fc.tuple(
      fc.constantFrom(...QUERY_NAMES),
      fc.oneof(fc.constantFrom('dead', 'skipped', '1', '-1', '1e9', 'acme'), targetText),
    ),
    {
      minLength: 1,
      maxLength: 4,
    },
  )
  .map((pairs) => `?${pairs.map(([name, value]) => `${name}=${value}`).join('&')}`)
const target = fc
  .tuple(
    fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom(...ROUTES) },
      targetText.map((text) => `/${text}`),
    ),
    fc.oneof({ weight: 3, arbitrary: fc.constant('') }, queryText, targetText),
  )
  .map(([path, rest]) => path + rest)

const { json } = fc.letrec<{ json: unknown }>((tie) => ({
  json: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom(...VALUES, null, true, 0, -0, 1e308, 2 ** 64, '', '\0', '\ud800', '2024-02-30T25:61:00Z'),
    fc.string({ unit: 'binary', maxLength: 8 }),
    fc.double(),
    fc.array(tie('json'), { maxLength: 3 }),
    fc.dictionary(fc.oneof(fc.constantFrom(...FIELDS), fc.string({ maxLength: 4 })), tie('json'), {
      maxKeys: 6,
    }),
  ),
}))
const message = fc
  .tuple(
    fc.constantFrom('identify', 'track', 'group', 'page', 'delete'),
    fc.dictionary(fc.constantFrom(...FIELDS), json, { maxKeys: 4 }),
  )
  .map(([type, over]) => ({ type, userId: 'u', event: 'e', groupId: 'g', ...over }))
const survey = fc
  .dictionary(fc.constantFrom(...FIELDS, 'email', 'cookie_uuid'), json, { maxKeys: 4 })
  .map((over) => completedSurvey(over))
const text = fc.oneof(
  fc
    .oneof(
      json,
      message,
      survey,
      fc.array(message, { maxLength: 3 }),
      fc.record({ batch: fc.array(fc.oneof(json, message), { maxLength: 3 }) }),
    )
    .map((value) => Buffer.from(JSON.stringify(value) ?? '')),
  fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
  fc.tuple(message, fc.nat(40)).map(([of, cut]) => Buffer.from(JSON.stringify(of)).subarray(0, -cut)),
)
const header = fc.tuple(
  fc.constantFrom(
    'content-encoding',
    'content-type',
    'x-signature',
    'x-sig',
    'accept',
    'origin',
    'sec-fetch-site',
    'cookie',
    'range',
    'authorization',
    'if-none-match',
  ),
  fc.oneof(
    headerValue,
    fc.constantFrom(
      'gzip',
      'deflate',
      'identity',
      'application/x-www-form-urlencoded',
      'multipart/form-data',
      'same-origin',
    ),
  ),
)
const request: fc.Arbitrary<Sent> = fc.record({
  method: fc.constantFrom(...METHODS),
  target,
  headers: fc
    .tuple(
      fc.array(header, { maxLength: 3 }),
      fc.option(fc.constantFrom(...AUTHORIZATIONS), { freq: 4 }),
      fc.oneof({ weight: 9, arbitrary: fc.constant('localhost') }, headerValue),
    )
    .map(([headers, authorization, host]) => [
      ['host', host] as const,
      ...(authorization === null ? [] : [['authorization', authorization] as const]),
      ...headers,
    ]),
  body: text,
  chunked: fc.boolean(),
})

function bytesOf({ method, target, headers, body, chunked }: Sent): Uint8Array {
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  const framing = chunked ? 'transfer-encoding: chunked' : `content-length: ${body.byteLength}`
  const head = Buffer.from(`${method} ${target} HTTP/1.1\r\n${lines}${framing}\r\n\r\n`, 'latin1')
  if (!chunked) return Buffer.concat([head, body])
  const end = Buffer.from(body.byteLength === 0 ? '0\r\n\r\n' : '\r\n0\r\n\r\n')
  const start = body.byteLength === 0 ? '' : `${body.byteLength.toString(16)}\r\n`
  return Buffer.concat([head, Buffer.from(start), body, end])
}

/** Answered in words; by the HTTP server itself, which has none, only where the request line or its headers are broken. */
async function answered(sent: Sent): Promise<void> {
  const [answer] = await exchange(loop.daemon.url, bytesOf(sent))
  expect(answer).toBeDefined()
  const { status, headers, body } = answer!
  expect(status).not.toBe(500)
  if (status < 400) return
  if (body === '')
    return expect({ status, headers }).toMatchObject({ headers: /^connection: close/im.exec(headers)?.input })
  expect(JSON.parse(Buffer.from(body, 'latin1').toString('utf8'))).toHaveProperty('message')
}

const sent = (over: Partial<Sent>): Sent => ({
  method: 'POST',
  target: '/v1/segment',
  headers: [
    ['host', 'x'],
    ['authorization', AUTHORIZATIONS[0]!],
  ],
  body: Buffer.from('{}'),
  chunked: false,
  ...over,
})

/** What once failed. */
const KNOWN: Sent[] = [
  sent({ method: 'GET', target: '/nowhere', headers: [['host', '[']] }),
  sent({
    method: 'GET',
    target: '/api/deliveries?limit=1',
    headers: [
      ['host', 'a b'],
      ['authorization', 'Bearer admin'],
    ],
  }),
  sent({ target: '/v1/refiner/query?token=x', headers: [['host', ':::']] }),
  sent({
    method: 'GET',
    target: '/api/deliveries/1%',
    headers: [
      ['host', 'localhost'],
      ['authorization', 'Bearer admin'],
    ],
  }),
]

test('every route answers every request, and none with a 500', async () => {
  await fc.assert(fc.asyncProperty(request, answered), {
    numRuns: Number(process.env['FUZZ_RUNS'] ?? 600),
    examples: KNOWN.map((example): [Sent] => [example]),
  })
}, 600_000)

test('methods that nobody has heard of are refused, or their connection closed', async () => {
  for (const method of ['FOO', 'TRACE', 'CONNECT', 'PROPFIND', 'post', 'GET\t', '\xff']) {
    const [answer] = await exchange(loop.daemon.url, `${method} /health HTTP/1.1\r\nhost: x\r\n\r\n`)
    if (answer !== undefined) expect([400, 404, 405, 501, 505]).toContain(answer.status)
  }
})

test('HEAD is answered without a body wherever GET is', async () => {
  for (const path of ROUTES) {
    const response = await fetch(loop.daemon.url + path, { method: 'HEAD' })
    expect(response.status).not.toBe(500)
    expect(await response.text()).toBe('')
  }
})
