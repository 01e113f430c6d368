import { expect, test } from 'bun:test'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startDaemon } from '../../src/daemon.ts'
import { silentLog } from '../../src/observe/log.ts'
import { completedSurvey } from '../fixtures/refiner-webhook.ts'
import { testConfiguration, testTenant } from '../support/configuration.ts'
import { basic, bearer, startLoop, until } from '../support/loop.ts'

const webhook = bearer('acme-webhook-secret')

test('a second daemon on the port is refused, and leaves the first alone', async () => {
  await using loop = await startLoop()
  const folder = mkdtempSync(join(tmpdir(), 'refiner-sync-second-'))
  const port = Number(new URL(loop.daemon.url).port)
  const made = testConfiguration(folder, [testTenant('other')])
  const second = startDaemon({ configuration: { ...made, server: { ...made.server, port } }, log: silentLog })
  await expect(second).rejects.toThrow(`listening on 127.0.0.1:${port} failed`)
  expect((await loop.post('/v1/refiner/acme', completedSurvey(), webhook)).status).toBe(200)
  rmSync(folder, { recursive: true })
})

test('while it stops, new requests are answered 503 until what is being sent is done', async () => {
  const release = Promise.withResolvers<void>()
  await using loop = await startLoop({
    segment: async () => {
      await release.promise
      return null
    },
  })
  await loop.post('/v1/refiner/acme', completedSurvey(), webhook)
  await until(() => loop.segment.requests === 1)
  const stopped = loop.daemon.stop()
  // What is taken in the very moment of the stop is kept for the next start.
  const late = () => loop.post('/v1/refiner/acme', completedSurvey({ remote_id: 'late' }), webhook)
  let refused = await late()
  await until(async () => (refused = await late()).status === 503)
  expect(refused.headers.get('retry-after')).not.toBeNull()
  expect((await fetch(`${loop.daemon.url}/readyz`)).status).toBe(503)
  expect((await fetch(`${loop.daemon.url}/livez`)).status).toBe(200)
  release.resolve()
  await stopped
  expect(loop.segment.delivered).toHaveLength(3)
})

test('a stop does not wait for deliveries that only wait for their turn, and counts no attempt for them', async () => {
  await using loop = await startLoop({ tenants: { acme: { refiner: { requestsPerSecond: 1 / 3600 } } } })
  const tracks = ['a', 'b', 'c'].map((id) => ({ type: 'track', userId: id, event: id, messageId: id }))
  await loop.post('/v1/segment', tracks, basic('acme-destination-key'))
  await until(() => loop.refiner.calls.length === 1)
  await until(() => loop.daemon.health().tenants['acme']!.pending === 2)
  await loop.restart()
  await until(() => loop.refiner.calls.length === 2)
  await until(() => loop.daemon.health().tenants['acme']!.pending === 1)
  expect(loop.daemon.health().tenants['acme']!.destinations.refiner.state).toBe('ok')
})

test("the database is for its owner's eyes only", async () => {
  await using loop = await startLoop()
  const { path } = loop.configuration.database
  for (const file of [path, `${path}-wal`, `${path}.lock`]) expect(statSync(file).mode & 0o077).toBe(0)
  expect(statSync(join(path, '..')).mode & 0o077).toBe(0)
})
