import { expect, test } from 'bun:test'
import { basic, deadline, type Loop, startLoop, until } from '../support/loop.ts'

const key = basic('acme-destination-key')

async function identify(loop: Loop, id: string, traits: Record<string, unknown>): Promise<void> {
  const body = { type: 'identify', userId: 'ada', messageId: id, traits }
  expect((await loop.post('/v1/segment', body, key)).status).toBe(200)
}

async function track(loop: Loop, id: string): Promise<void> {
  const body = { type: 'track', userId: 'ada', messageId: id, event: id }
  expect((await loop.post('/v1/segment', body, key)).status).toBe(200)
}

const lane = (loop: Loop) => loop.daemon.health().tenants['acme']!.destinations.refiner

test('identifies of a user that wait together become one call; a track in between keeps its place', async () => {
  let open = false
  await using loop = await startLoop({ refiner: () => (open ? null : new Response('', { status: 503 })) })
  await identify(loop, 'i1', { plan: 'free', city: 'London' })
  await identify(loop, 'i2', { plan: 'pro' })
  await identify(loop, 'i3', { name: 'Ada' })
  await track(loop, 't1')
  await identify(loop, 'i4', { plan: 'team' })
  await until(() => lane(loop).pending === 5)
  open = true
  await loop.refiner.until((calls) => calls.length === 3, deadline())
  expect(loop.refiner.calls.map(({ body }) => body)).toEqual([
    { id: 'ada', plan: 'pro', city: 'London', name: 'Ada' },
    { id: 'ada', event: 't1' },
    { id: 'ada', plan: 'team' },
  ])
  await until(() => loop.daemon.health().tenants['acme']!.pending === 0)
  expect(lane(loop).dead).toBe(0)
})

test('of merged identifies that are refused together, only the one at fault is dead', async () => {
  let open = false
  await using loop = await startLoop({
    refiner: ({ text }) => {
      if (!open) return new Response('', { status: 503 })
      return text.includes('"bad"') ? Response.json({ message: 'no' }, { status: 422 }) : null
    },
  })
  await identify(loop, 'i1', { plan: 'free' })
  await identify(loop, 'i2', { bad: 1 })
  await identify(loop, 'i3', { plan: 'pro' })
  await until(() => lane(loop).pending === 3)
  open = true
  await until(() => loop.daemon.health().tenants['acme']!.pending === 0)
  expect(loop.refiner.calls.map(({ body }) => body)).toEqual([
    { id: 'ada', plan: 'free' },
    { id: 'ada', plan: 'pro' },
  ])
  expect(lane(loop).dead).toBe(1)
})
