import { expect, test } from 'bun:test'
import { withResponse } from '../fixtures/refiner-webhook.ts'
import { basic, bearer, deadline, startLoop, until } from '../support/loop.ts'

test('two tenants side by side never see keys, data or failures of each other', async () => {
  await using loop = await startLoop({
    tenants: { acme: {}, globex: {} },
    segment: ({ headers }) => {
      const { authorization } = basic('globex-write-key')
      return headers.get('authorization') === authorization ? new Response('', { status: 500 }) : null
    },
    refiner: ({ headers }) => {
      return headers.get('authorization') === 'Bearer acme-refiner-key'
        ? new Response('', { status: 401 })
        : null
    },
  })
  const ids = ['acme', 'globex'] as const
  for (const tenant of ids) {
    // The same response, user and message IDs on both sides: nothing of it may be taken for a copy.
    const webhook = withResponse({ data: { who: tenant } }, { account: null })
    expect(
      (await loop.post(`/v1/refiner/${tenant}`, webhook, bearer(`${tenant}-webhook-secret`))).status,
    ).toBe(200)
    const message = { type: 'track', userId: 'user-1042', event: `by ${tenant}`, messageId: 'same' }
    expect((await loop.post('/v1/segment', message, basic(`${tenant}-destination-key`))).status).toBe(200)
    const other = tenant === 'acme' ? 'globex' : 'acme'
    expect(
      (await loop.post(`/v1/refiner/${other}`, webhook, bearer(`${tenant}-webhook-secret`))).status,
    ).toBe(401)
    expect(
      (await loop.post(`/v1/segment/${other}`, message, basic(`${tenant}-destination-key`))).status,
    ).toBe(401)
  }
  await loop.segment.until((messages) => messages.length === 2, deadline())
  await loop.refiner.until((calls) => calls.length === 1, deadline())
  await until(() => loop.daemon.health().tenants['globex']!.destinations.segment.state !== 'ok')
  await until(() => loop.daemon.health().tenants['acme']!.destinations.refiner.state === 'unauthorized')

  // What has arrived is written down a moment later.
  await until(() => loop.daemon.health().tenants['acme']!.destinations.segment.pending === 0)
  await until(() => loop.daemon.health().tenants['globex']!.destinations.refiner.pending === 0)

  expect(loop.segment.messages.map(({ writeKey }) => writeKey)).toEqual(['acme-write-key', 'acme-write-key'])
  expect(JSON.stringify(loop.segment.messages)).not.toContain('globex')
  expect(loop.refiner.calls.map(({ apiKey, body }) => [apiKey, body['event']])).toEqual([
    ['globex-refiner-key', 'by globex'],
  ])
  const { tenants } = loop.daemon.health()
  expect(tenants['acme']!.destinations.segment).toMatchObject({ state: 'ok', pending: 0, last_error: null })
  expect(tenants['globex']!.destinations.refiner).toMatchObject({ state: 'ok', pending: 0, last_error: null })
  expect(tenants['globex']!.destinations.segment.pending).toBe(2)
})
