import { expect, test } from 'bun:test'
import { basic, startLoop, until } from '../support/loop.ts'
import { ADMIN_TOKEN, command } from '../support/operator.ts'

test('no ID of a sender is taken for one of ours: neither is lost', async () => {
  await using loop = await startLoop({
    tenants: { acme: { toRefiner: { delete: true } } },
    adminToken: ADMIN_TOKEN,
  })
  const ids = ['erasure-1', 'erasure-1-0', 'sender-erasure-1', 'inbox-1', 'segment-change-1']
  for (const messageId of ids) {
    const message = { type: 'track', userId: 'ben', event: messageId, messageId }
    expect((await loop.post('/v1/segment', message, basic('acme-destination-key'))).status).toBe(200)
  }
  await loop.post(
    '/v1/segment',
    { type: 'identify', userId: 'ada', traits: {} },
    basic('acme-destination-key'),
  )
  await until(() => loop.daemon.health().tenants['acme']!.pending === 0)
  expect((await command(loop, ['forget', '--user', 'ada'])).code).toBe(0)
  await until(() => loop.refiner.calls.some(({ method }) => method === 'DELETE'))
  expect(loop.refiner.calls.map(({ body }) => body['event']).filter((event) => event !== undefined)).toEqual(
    ids,
  )
  expect(loop.refiner.calls.at(-1)!.body).toEqual({ id: 'ada' })
})
