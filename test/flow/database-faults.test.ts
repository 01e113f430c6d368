import { expect, test } from 'bun:test'
import { Database } from 'bun:sqlite'
import { completedSurvey } from '../fixtures/refiner-webhook.ts'
import { basic, bearer, deadline, startLoop, until } from '../support/loop.ts'

test('while the database takes no writes requests are answered 503 and /health says down; then all is well by itself', async () => {
  await using loop = await startLoop()
  const webhook = bearer('acme-webhook-secret')
  using other = new Database(loop.configuration.database.path)
  other.run('begin immediate')
  const refused = await loop.post('/v1/refiner/acme', completedSurvey(), webhook)
  expect(refused.status).toBe(503)
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
  const health = await fetch(`${loop.daemon.url}/health`)
  expect(health.status).toBe(503)
  expect(await health.json()).toMatchObject({ status: 'down', database: { status: 'down' } })
  expect((await fetch(`${loop.daemon.url}/readyz`)).status).toBe(503)
  expect((await fetch(`${loop.daemon.url}/livez`)).status).toBe(200)
  other.run('rollback')
  expect((await loop.post('/v1/refiner/acme', completedSurvey(), webhook)).status).toBe(200)
  expect((await fetch(`${loop.daemon.url}/health`)).status).toBe(200)
  await loop.segment.until((messages) => messages.length === 3, deadline())
})

test('a lock that another process holds for a moment costs a moment, and no request', async () => {
  await using loop = await startLoop()
  using other = new Database(loop.configuration.database.path)
  other.run('begin immediate')
  const answered = loop.post('/v1/refiner/acme', completedSurvey(), bearer('acme-webhook-secret'))
  await until(async () => (await fetch(`${loop.daemon.url}/livez`)).status === 200)
  other.run('rollback')
  expect((await answered).status).toBe(200)
})

test('what was delivered while its outcome could not be written down is not sent again', async () => {
  const locks: Database[] = []
  await using loop = await startLoop({
    refiner: () => {
      const other = new Database(loop.configuration.database.path)
      other.run('begin immediate')
      locks.push(other)
      return null
    },
  })
  const track = { type: 'track', userId: 'user-1', event: 'Clicked', messageId: 'm' }
  await loop.post('/v1/segment', track, basic('acme-destination-key'))
  await loop.refiner.until((calls) => calls.length === 1, deadline())
  const lane = () => loop.daemon.health().tenants['acme']!.destinations.refiner
  await until(() => lane().last_success !== null)
  expect(lane().pending).toBe(1)
  for (const other of locks) other.close()
  await until(() => lane().pending === 0)
  expect(loop.refiner.requests).toBe(1)
})

test('an item that the tables refuse is kept as dead, and those around it are delivered', async () => {
  await using loop = await startLoop()
  using other = new Database(loop.configuration.database.path)
  other.run(`create trigger poison before insert on outbox when new.payload like '%poison%'
    begin select raise(abort, 'refused'); end`)
  const key = basic('acme-destination-key')
  const batch = ['before', 'poison', 'after'].map((event) => ({
    type: 'track',
    userId: 'user-1',
    event,
    messageId: event,
  }))
  expect((await loop.post('/v1/segment', batch, key)).status).toBe(200)
  await loop.refiner.until((calls) => calls.length === 2, deadline())
  expect(loop.refiner.calls.map(({ body }) => body['event'])).toEqual(['before', 'after'])
  await until(() => loop.daemon.health().tenants['acme']!.dead === 1)
  expect(
    other
      .query(
        `select state, reason, (select payload from inbox where id = inbox_id) as kept from outbox
    where state = 'dead'`,
      )
      .all(),
  ).toEqual([
    {
      state: 'dead',
      reason: expect.stringContaining('mapping it failed'),
      kept: expect.stringContaining('poison'),
    },
  ])
})
