import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { operatorRoutes } from '../../src/console/operator.ts'
import { Tap } from '../../src/console/tap.ts'
import { systemClock } from '../../src/observe/system-clock.ts'
import { completedSurvey } from '../fixtures/refiner-webhook.ts'
import { basic, bearer, deadline, type Loop, startLoop } from '../support/loop.ts'

let loop: Loop
let closed: Loop
beforeAll(async () => {
  loop = await startLoop({ adminToken: 'the-admin-token' })
  closed = await startLoop()
  await loop.post('/v1/refiner/acme', completedSurvey(), bearer('acme-webhook-secret'))
  await loop.segment.until((messages) => messages.length === 3, deadline())
})
afterAll(async () => {
  await loop[Symbol.asyncDispose]()
  await closed[Symbol.asyncDispose]()
})

const get = (path: string, headers: Record<string, string> = {}, from = loop) => {
  return fetch(from.daemon.url + path, { headers })
}
/** As a browser sends a name and a password. */
const password = (token: string) => ({ authorization: `Basic ${btoa(`anybody:${token}`)}` })

describe.each(['/api/status', '/api/diagnosis', '/api/deliveries', '/api/replays', '/api/tap', '/ui'])(
  '%s',
  (path) => {
    test('opens to the admin token, as Bearer or as the password', async () => {
      expect((await get(path, bearer('the-admin-token'))).status).toBe(200)
      expect((await get(path, password('the-admin-token'))).status).toBe(200)
    })

    test.each([
      ['no token', {}],
      ['a wrong one', bearer('the-admin-tokem')],
      ['an empty one', password('')],
      ['a destination key', basic('acme-destination-key')],
      ['the word null', bearer('null')],
    ])('stays closed to %s', async (_, headers) => {
      expect((await get(path, headers)).status).toBe(401)
      expect((await get(path, headers, closed)).status).toBe(401)
    })

    test('shows nothing of what anybody said, and no key', async () => {
      const text = await (await get(path, bearer('the-admin-token'))).text()
      expect(text).not.toMatch(
        /user-1042|ada@example|Pricing|secret|acme-(write|destination|refiner)-key|the-admin-token/,
      )
    })
  },
)

test('the newest deliveries come first, as many as are asked for', async () => {
  const response = await get('/api/deliveries?limit=2', bearer('the-admin-token'))
  expect(await response.json()).toMatchObject([
    { id: 3, tenant: 'acme', destination: 'segment', call: 'track' },
    { id: 2, call: 'group' },
  ])
})

test('the page runs nothing from elsewhere', async () => {
  const response = await get('/ui', password('the-admin-token'))
  expect(response.headers.get('content-type')).toContain('text/html')
  expect(response.headers.get('content-security-policy')).toContain("default-src 'none'")
})

const post = (path: string, headers: Record<string, string> = {}) =>
  fetch(loop.daemon.url + path, { method: 'POST', headers: { ...password('the-admin-token'), ...headers } })

test.each([
  [{ 'sec-fetch-site': 'cross-site' }, 403],
  [{ 'sec-fetch-site': 'same-site' }, 403],
  [{ 'sec-fetch-site': 'same-origin' }, 200],
  // Without TLS a browser sends no more than this.
  [{ origin: 'http://elsewhere.example' }, 403],
  [{ origin: 'null' }, 403],
  [{}, 200],
] as const)(
  'a page of another site cannot make a browser change anything: %p is answered %d',
  async (headers, status) => {
    expect((await post('/api/reload', headers)).status).toBe(status)
    expect((await post('/api/deliveries/replay?state=dead', headers)).status).toBe(status)
  },
)

test('a page of its own may change things without TLS too', async () => {
  expect((await post('/api/reload', { origin: loop.daemon.url })).status).toBe(200)
})

test.each(['1e0', '0x1', '01.0', '+1', '1%20', '-1', '9'.repeat(30)])(
  '%p is the ID of no delivery',
  async (id) => {
    expect((await get(`/api/deliveries/${id}`, bearer('the-admin-token'))).status).toBe(404)
    expect((await post(`/api/deliveries/${id}/replay`)).status).toBe(404)
  },
)

test.each([
  'tenent=acme',
  'tenant=acme&tenant=globex',
  'after=1e9',
  'until=',
  'since=yesterday',
  'limit=1',
  'remap=yes',
  'place=3',
])('a replay of all that fit is refused where a filter is not understood: %s', async (filter) => {
  expect((await post(`/api/deliveries/replay?state=dead&${filter}`)).status).toBe(400)
})

test('a reload that a stop cuts short is answered 503', async () => {
  let stops = false
  const unused = (): never => {
    throw new Error('not asked for')
  }
  const routes = operatorRoutes({
    isAdmin: () => true,
    isStopping: () => stops,
    health: unused,
    tap: new Tap(systemClock),
    diagnosis: unused,
    deliveries: {
      now: unused,
      rest: unused,
      listPart: unused,
      find: unused,
      plan: unused,
      replay: unused,
      countPart: unused,
      beginReplay: unused,
      continueReplay: unused,
      replays: unused,
    },
    backfills: {
      now: unused,
      begin: unused,
      find: unused,
      list: unused,
      pause: unused,
      resume: unused,
      preview: unused,
    },
    privacy: {
      tenants: unused,
      ambiguous: unused,
      forget: unused,
      suppress: unused,
      lift: unused,
      receipt: unused,
      receipts: unused,
    },
    segments: {
      tenants: unused,
      status: unused,
      members: unused,
      tryPart: unused,
      rest: unused,
    },
    people: {
      rest: unused,
      elapsed: unused,
      tenants: unused,
      hasUser: unused,
      listPart: unused,
      find: unused,
      conflicts: unused,
      person: unused,
      exportHead: unused,
      exportPart: unused,
    },
    async reload() {
      stops = true
      throw new Error('refiner-sync is stopping')
    },
  })
  const request = new Request('http://localhost/api/reload', { method: 'POST', headers: bearer('any') })
  expect((await routes.handle(request)).status).toBe(503)
})
