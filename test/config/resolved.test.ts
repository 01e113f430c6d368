import { describe, expect, test } from 'bun:test'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { accepted, REFINER, SEGMENT, tenantFile } from './marked-file.ts'

function acmeOf(...lines: string[]) {
  return accepted(tenantFile(lines)).configuration.tenants.get('acme')!
}

/** A tenant whose only difference is one setting of its Segment side. */
function segmentWith(setting: string) {
  return acmeOf(REFINER, `segment: { write_key: k, destination_keys: [d], ${setting} }`).segment
}

function webhookOf(settings: string) {
  return acmeOf(SEGMENT, `refiner: { api_key: k, webhook: { ${settings} } }`).refiner.webhook
}

test('a file that is silent gets every default', () => {
  const { configuration } = accepted(tenantFile([REFINER, SEGMENT]))
  expect(configuration).toEqual({
    server: {
      host: '127.0.0.1',
      port: 8787,
      maxBodyBytes: 1024 * 1024,
      maxPending: 5_000_000,
      publicUrl: null,
      adminToken: null,
    },
    database: { path: join(tmpdir(), 'no-such-folder', 'data', 'refiner-sync.db') },
    delivery: {
      timeoutMs: 10_000,
      minBackoffMs: 1000,
      maxBackoffMs: 3_600_000,
      giveUpAfterMs: 4 * 24 * 3_600_000,
    },
    retention: { deliveredMs: 30 * 24 * 3_600_000, deadMs: 90 * 24 * 3_600_000 },
    plugins: new Map(),
    tests: [],
    files: [join(tmpdir(), 'no-such-folder', 'refiner-sync.yaml')],
    tenants: new Map([
      [
        'acme',
        {
          name: 'acme',
          enabled: true,
          refiner: {
            apiKey: 'refiner-key',
            endpoint: 'https://api.refiner.io/v1',
            webhook: { in: 'bearer', secret: 'the-hook-of-acme' },
            requestsPerSecond: 10,
            pollMs: null,
          },
          segment: {
            writeKey: 'segment-key',
            endpoint: 'https://api.segment.io/v1',
            destinationKeys: ['the-inbound-key-of-acme'],
            sharedSecret: null,
            requestsPerSecond: 50,
          },
          toSegment: {
            enabled: true,
            surveys: { include: ['*'], exclude: [] },
            events: {
              completed: 'Completed Survey',
              seen: null,
              dismissed: null,
              segment_entered: null,
              tag_added: null,
            },
            calls: new Set(['identify', 'group', 'track']),
            traitPrefix: 'refiner_',
            anonymous: 'skip',
            userAttributes: false,
            questionEvent: null,
            nps: [],
            mapping: [],
            plugins: [],
          },
          toRefiner: {
            enabled: true,
            calls: new Set(['identify', 'group', 'track']),
            events: { include: ['*'], exclude: [] },
            delete: false,
            pages: false,
            mapping: [],
          },
          segments: [],
          privacy: null,
        },
      ],
    ]),
  })
})

test('what the file says holds', () => {
  const text = tenantFile(
    [
      REFINER,
      SEGMENT,
      'enabled: false',
      'to_segment: { enabled: false, surveys: { exclude: [Internal *] }, calls: [track], trait_prefix: "", anonymous: email, user_attributes: true }',
      'to_refiner: { enabled: false, calls: [], events: { include: [Signed*] }, pages: true }',
    ],
    [
      'server: { host: 0.0.0.0, port: 0, max_body: 2KB, max_pending: 2000, public_url: "https://sync.example.com/in/", admin_token: token }',
      'delivery: { timeout: 5s, min_backoff: 250ms, max_backoff: 2m, give_up_after: 5d }',
      'database: sqlite:///tmp/refiner-sync-absolute.db',
    ],
  )
  const { server, delivery, database, tenants } = accepted(text).configuration
  expect(server).toEqual({
    host: '0.0.0.0',
    port: 0,
    maxBodyBytes: 2048,
    maxPending: 2000,
    publicUrl: 'https://sync.example.com/in',
    adminToken: 'token',
  })
  expect(delivery).toEqual({
    timeoutMs: 5000,
    minBackoffMs: 250,
    maxBackoffMs: 120_000,
    giveUpAfterMs: 432_000_000,
  })
  expect(database.path).toBe('/tmp/refiner-sync-absolute.db')
  expect(tenants.get('acme')?.enabled).toBe(false)
  expect(tenants.get('acme')?.toSegment).toMatchObject({
    enabled: false,
    surveys: { include: ['*'], exclude: ['Internal *'] },
    calls: new Set(['track']),
    traitPrefix: '',
    anonymous: 'email',
    userAttributes: true,
  })
  expect(tenants.get('acme')?.toRefiner).toEqual({
    enabled: false,
    calls: new Set(),
    events: { include: ['Signed*'], exclude: [] },
    delete: false,
    pages: true,
    mapping: [],
  })
})

test('`completed: null` sends no event, leaving it out sends the default', () => {
  const eventsOf = (events: string) =>
    acmeOf(REFINER, SEGMENT, `to_segment: { events: ${events} }`).toSegment.events
  expect(eventsOf('{ completed: null }').completed).toBeNull()
  expect(eventsOf('{ seen: Saw }')).toMatchObject({ completed: 'Completed Survey', seen: 'Saw' })
})

test.each([
  ['region: us', 'https://api.segment.io/v1'],
  ['region: eu', 'https://events.eu1.segmentapis.com/v1'],
  ['endpoint: "https://proxy.example"', 'https://proxy.example/v1'],
  ['endpoint: "https://proxy.example/"', 'https://proxy.example/v1'],
  ['endpoint: "https://proxy.example/v1/"', 'https://proxy.example/v1'],
  ['endpoint: "https://proxy.example/segment/api//"', 'https://proxy.example/segment/api'],
  ['endpoint: "http://localhost:4010"', 'http://localhost:4010/v1'],
])('%s sends to %s', (setting, endpoint) => {
  expect(segmentWith(setting).endpoint).toBe(endpoint)
})

test.each([
  ['rate_limit: 5/s', 5],
  ['rate_limit: 600/m', 10],
  ['rate_limit: 7200/h', 2],
])('%s is %d requests a second', (setting, rate) => {
  expect(segmentWith(setting).requestsPerSecond).toBe(rate)
})

describe('a webhook carries its secret where Refiner is told to put it', () => {
  test.each([
    ['secret: s', { in: 'bearer', secret: 's' }],
    ['secret: s, in: header', { in: 'header', secret: 's', name: 'X-Refiner-Secret' }],
    ['secret: s, in: header, name: X-Key', { in: 'header', secret: 's', name: 'X-Key' }],
    ['secret: s, in: query', { in: 'query', secret: 's', name: 'secret' }],
    [
      'secret: s, in: hmac',
      { in: 'hmac', secret: 's', name: 'X-Refiner-Signature', algorithm: 'sha256', encoding: 'hex' },
    ],
    [
      'secret: s, in: hmac, name: X-Sig, algorithm: sha1, encoding: base64',
      { in: 'hmac', secret: 's', name: 'X-Sig', algorithm: 'sha1', encoding: 'base64' },
    ],
  ])('%s', (settings, webhook) => {
    expect(webhookOf(settings)).toEqual(webhook as ReturnType<typeof webhookOf>)
  })
})

test('a way that is switched off needs no keys', () => {
  const inbound = acmeOf(
    'refiner: { api_key: k }',
    'segment: { shared_secret: s }',
    'to_segment: { enabled: false }',
  )
  expect(inbound).toMatchObject({ refiner: { webhook: null }, segment: { writeKey: '', sharedSecret: 's' } })
  const outbound = acmeOf(
    'refiner: { webhook: { secret: s } }',
    'segment: { write_key: k }',
    'to_refiner: { enabled: false }',
  )
  expect(outbound).toMatchObject({
    refiner: { apiKey: '' },
    segment: { destinationKeys: [], sharedSecret: null },
  })
})

test('tenants keep the order of the file', () => {
  const one = '{ to_segment: { enabled: false }, to_refiner: { enabled: false } }'
  const { configuration } = accepted(
    `tenants: { zeta: ${one}, alpha: ${one}, 2: ${one}, constructor: ${one} }`,
  )
  expect([...configuration.tenants.keys()]).toEqual(['zeta', 'alpha', '2', 'constructor'])
})
