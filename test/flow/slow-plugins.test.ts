import { expect, test } from 'bun:test'
import { withResponse } from '../fixtures/refiner-webhook.ts'
import { basic, bearer, deadline, type Loop, startLoop, until } from '../support/loop.ts'
import { pluginStub } from '../support/plugin-stub.ts'

const slow = { toSegment: { plugins: ['slow'] } }

const complete = (loop: Loop, tenant: string, id: string) =>
  loop.post(
    `/v1/refiner/${tenant}`,
    withResponse({ uuid: id, data: { id } }, { remote_id: 'ada', account: null }),
    bearer(`${tenant}-webhook-secret`),
  )

const tracked = (loop: Loop) =>
  loop.segment.messages
    .filter(({ message }) => message.type === 'track')
    .map(({ message }) => (message['properties'] as { id: string }).id)

test('a plugin that never answers holds up its own tenant and direction only', async () => {
  const plugins = pluginStub()
  await using loop = await startLoop({ tenants: { acme: slow, globex: {} }, plugins })
  for (let n = 0; n < 40; n++) await complete(loop, 'acme', `acme-${n}`)
  await until(() => plugins.waiting.length === 1)
  for (let n = 0; n < 200; n++) await complete(loop, 'globex', `globex-${n}`)
  const track = { type: 'track', userId: 'u', event: 'Clicked', messageId: 'm' }
  await loop.post('/v1/segment', track, basic('acme-destination-key'))
  await loop.segment.until((messages) => messages.length === 400, deadline())
  await loop.refiner.until((calls) => calls.length === 1, deadline())
  expect(plugins.waiting).toHaveLength(1)
  expect(tracked(loop)).toEqual(Array.from({ length: 200 }, (_, n) => `globex-${n}`))
  await until(() => loop.daemon.health().tenants['acme']!.pending === 40)
})

test('what a plugin answers is recorded in order of arrival, batch after batch', async () => {
  const plugins = pluginStub()
  await using loop = await startLoop({ tenants: { acme: slow }, plugins })
  const sent = Array.from({ length: 100 }, (_, n) => `acme-${n}`)
  for (const id of sent) await complete(loop, 'acme', id)
  let answered = 0
  await until(() => {
    for (; answered < plugins.waiting.length; answered++) plugins.waiting[answered]!.answer()
    return tracked(loop).length === sent.length
  })
  expect(tracked(loop)).toEqual(sent)
})

test('a reload discards what is at the old plugins: it is mapped by the new ones, once', async () => {
  const old = pluginStub()
  await using loop = await startLoop({ tenants: { acme: slow }, plugins: old })
  await complete(loop, 'acme', 'one')
  await until(() => old.waiting.length === 1)
  const next = pluginStub()
  await loop.reload({ plugins: next })
  await until(() => next.waiting.length === 1)
  old.waiting[0]!.answer({ kind: 'skipped', reason: 'as the old one says' })
  await complete(loop, 'acme', 'two')
  next.waiting[0]!.answer()
  await until(() => next.waiting.length === 2)
  next.waiting[1]!.answer()
  await loop.segment.until((messages) => messages.length === 4, deadline())
  expect(tracked(loop)).toEqual(['one', 'two'])
  await until(() => loop.daemon.health().tenants['acme']!.pending === 0)
  expect(loop.segment.messages).toHaveLength(4)
})

test('a stop does not wait for plugins, and the next start maps what was at them', async () => {
  const plugins = pluginStub()
  await using loop = await startLoop({ tenants: { acme: slow }, plugins })
  await complete(loop, 'acme', 'one')
  await until(() => plugins.waiting.length === 1)
  await loop.restart()
  plugins.waiting[0]!.answer()
  await until(() => plugins.waiting.length === 2)
  plugins.waiting[1]!.answer()
  await loop.segment.until((messages) => messages.length === 2, deadline())
  expect(tracked(loop)).toEqual(['one'])
})

test('what a tenant that is gone has left to be mapped waits for it', async () => {
  const plugins = pluginStub()
  await using loop = await startLoop({ tenants: { acme: slow, globex: {} }, plugins })
  await complete(loop, 'acme', 'one')
  await until(() => plugins.waiting.length === 1)
  await loop.reload({ tenants: { globex: {} } })
  plugins.waiting[0]!.answer()
  expect(loop.daemon.health()).toMatchObject({
    status: 'degraded',
    orphaned: { acme: { pending: 1, dead: 0 } },
  })
  await loop.reload({ tenants: { acme: {}, globex: {} } })
  await loop.segment.until((messages) => messages.length === 2, deadline())
  await until(() => loop.daemon.health().status === 'ok')
})
