import { expect, test } from 'bun:test'
import { Database } from 'bun:sqlite'
import { copyFileSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { completedSurvey, withResponse } from '../fixtures/refiner-webhook.ts'
import { basic, bearer, deadline, type Loop, startLoop, until } from '../support/loop.ts'

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

function survey(id: string): Record<string, unknown> {
  return withResponse({ uuid: id }, { remote_id: `user-${id}` })
}

async function expectDown(loop: Loop, words: RegExp): Promise<void> {
  const health = await fetch(`${loop.daemon.url}/health`)
  expect(health.status).toBe(503)
  expect(await health.json()).toMatchObject({
    database: { status: 'down', error: expect.stringMatching(words) },
  })
  const refused = await loop.post('/v1/refiner/acme', survey('refused'), bearer('acme-webhook-secret'))
  expect(refused.status).toBe(503)
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
}

async function expectAccepted(loop: Loop, id: string): Promise<void> {
  const answered = await loop.post('/v1/refiner/acme', survey(id), bearer('acme-webhook-secret'))
  expect(answered.status).toBe(200)
  expect((await fetch(`${loop.daemon.url}/health`)).status).toBe(200)
  const isThere = () => loop.segment.delivered.some(({ message }) => message['userId'] === `user-${id}`)
  await loop.segment.until(isThere, deadline())
  await until(() => loop.daemon.health().tenants['acme']!.pending === 0)
}

test.each(['', '-wal', '-shm'])(
  'nothing is acknowledged into a database%s that was renamed; put back, all is well by itself',
  async (suffix) => {
    await using loop = await startLoop()
    const file = `${loop.configuration.database.path}${suffix}`
    await expectAccepted(loop, 'before')
    renameSync(file, `${file}.away`)
    await expectDown(loop, /deleted or renamed: put it back/)
    // A copy is another file: what is written now does not go there.
    copyFileSync(`${file}.away`, file)
    await expectDown(loop, /another file has been put in the place of/)
    renameSync(`${file}.away`, file)
    await expectAccepted(loop, 'after')
  },
)

test('nothing is acknowledged into a database that was deleted; a restart begins with a new one', async () => {
  await using loop = await startLoop()
  await expectAccepted(loop, 'before')
  rmSync(dirname(loop.configuration.database.path), { recursive: true })
  await expectDown(loop, /deleted or renamed/)
  expect((await fetch(`${loop.daemon.url}/livez`)).status).toBe(200)
  await loop.restart()
  await expectAccepted(loop, 'after')
})

const isRoot = process.getuid?.() === 0

/** A file system of 2 MB over the folder; false where this process may not make one. */
function mountSmall(folder: string): boolean {
  mkdirSync(folder, { recursive: true })
  return isRoot && Bun.spawnSync(['mount', '-t', 'tmpfs', '-o', 'size=2m', 'none', folder]).success
}

test('a disk that fills up costs nothing acknowledged, and with room all is well by itself', async () => {
  await using stops = new AsyncDisposableStack()
  const folder = join(tmpdir(), `refiner-sync-small-${process.pid}`)
  const isSmall = mountSmall(folder)
  stops.defer(() => {
    // Lazily: SQLite lets go of its files only when the statements are collected.
    if (isSmall) Bun.spawnSync(['umount', '-l', folder])
    rmSync(folder, { recursive: true, force: true })
  })
  if (!isSmall)
    return console.warn('a full disk is NOT tested: this needs root on Linux, to mount a small one')
  const loop = stops.use(await startLoop({ folder }))
  await expectAccepted(loop, 'before')
  const ballast = join(folder, 'ballast')
  fill(ballast)
  const answers: number[] = []
  // There may be room left in the -wal.
  await until(async () => {
    const body = survey(`filling-${answers.length}`)
    answers.push((await loop.post('/v1/refiner/acme', body, bearer('acme-webhook-secret'))).status)
    return answers.at(-1) === 503
  })
  await expectDown(loop, /the disk is full/)
  rmSync(ballast)
  await expectAccepted(loop, 'after')
  const users = () => new Set(loop.segment.delivered.map(({ message }) => message['userId']))
  await until(() => answers.every((status, n) => status !== 200 || users().has(`user-filling-${n}`)))
})

/** Takes all the room that is left. */
function fill(file: string): void {
  try {
    for (;;) writeFileSync(file, new Uint8Array(4096), { flag: 'a' })
  } catch (error) {
    expect(error).toMatchObject({ code: 'ENOSPC' })
  }
}
