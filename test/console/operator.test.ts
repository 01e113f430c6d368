import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
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

describe.each(['/api/status', '/api/deliveries', '/ui'])('%s', (path) => {
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
})

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
