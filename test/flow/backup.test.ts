import { Database } from 'bun:sqlite'
import { expect, test } from 'bun:test'
import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startRefinerStandIn } from '../../src/demo/refiner-stand-in.ts'
import { startSegmentStandIn } from '../../src/demo/segment-stand-in.ts'
import { openStore } from '../../src/store/open.ts'
import { completedSurvey } from '../fixtures/refiner-webhook.ts'
import { runHere } from '../support/in-process.ts'
import { basic, bearer, deadline, postTo, until } from '../support/loop.ts'
import { PROGRAM, run, workplace } from '../support/process.ts'
import { storeItem } from '../support/stored-rows.ts'

const DATABASE = join('data', 'refiner-sync.db')

test('what waited when a backup was made, of a daemon at work, goes out after it is restored', async () => {
  await using stops = new AsyncDisposableStack()
  let open = false
  const segment = startSegmentStandIn({
    writeKeys: 'any',
    respond: () => Promise.resolve(open ? null : new Response('', { status: 503 })),
  })
  const refiner = startRefinerStandIn({ apiKeys: 'any' })
  stops.defer(() => segment.stop())
  stops.defer(() => refiner.stop())
  using place = workplace({ segment: segment.url, refiner: refiner.url })
  const first = run(PROGRAM, [], place.folder)
  stops.defer(() => first.process.kill('SIGKILL'))
  const url = await first.url()
  await postTo(url, '/v1/refiner/acme', completedSurvey(), bearer('acme-webhook-secret'))
  const track = { type: 'track', userId: 'u', event: 'Signed Up', messageId: 'm-1' }
  await postTo(url, '/v1/segment', track, basic('acme-destination-key'))
  await refiner.until((calls) => calls.length === 1, deadline())
  await until(() => segment.requests > 0)

  const made = await runHere(['backup', 'kept.db', '--json'], place.folder, {})
  expect(made.stderr).toBe('')
  expect(JSON.parse(made.stdout)).toMatchObject({
    ok: true,
    problems: [],
    contents: { received: 2, unmapped: 0, users: 2 },
  })
  const kept = join(place.folder, 'kept.db')
  expect(statSync(kept).mode & 0o777).toBe(0o600)

  // The machine is lost, and with it what came after the backup.
  first.process.kill('SIGKILL')
  await first.process.exited
  const database = join(place.folder, DATABASE)
  for (const file of readdirSync(join(place.folder, 'data'))) rmSync(join(place.folder, 'data', file))
  copyFileSync(kept, database)
  open = true
  const second = run(PROGRAM, [], place.folder)
  stops.defer(() => second.process.kill('SIGKILL'))
  await second.url()
  await segment.until((messages) => messages.length === 3, deadline())
  second.process.kill('SIGTERM')
  expect(await second.process.exited).toBe(0)
  expect(segment.delivered.map(({ message }) => message.type)).toEqual(['identify', 'group', 'track'])
  expect(refiner.calls).toHaveLength(1)
  expect((await runHere(['verify'], place.folder, {})).stdout).toContain(`${database}: good`)
})

test('a backup takes the place of nothing unless it is told to, and never that of the database', async () => {
  using place = workplace({ segment: 'http://127.0.0.1:9', refiner: 'http://127.0.0.1:9' })
  const backup = (...args: string[]) => runHere(['backup', ...args], place.folder, {})
  expect(await backup('kept.db')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('there is no database'),
  })
  ;(await openStore(join(place.folder, DATABASE))).close()
  const kept = join(place.folder, 'kept.db')
  writeFileSync(kept, 'something else')
  expect(await backup('kept.db')).toMatchObject({ code: 1, stderr: expect.stringContaining('--force') })
  expect(await Bun.file(kept).text()).toBe('something else')
  expect(await backup(DATABASE, '--force')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('is the database itself'),
  })
  // What a backup that was killed left behind.
  writeFileSync(`${kept}.part`, 'half')
  expect(await backup('kept.db', '--force')).toMatchObject({ code: 0 })
  expect(await runHere(['verify', 'kept.db'], place.folder, {})).toMatchObject({ code: 0 })
  expect(await backup('no-such-folder/kept.db')).toMatchObject({ code: 1 })
  expect(readdirSync(place.folder).toSorted((a, b) => a.localeCompare(b))).toEqual([
    'data',
    'kept.db',
    'refiner-sync.yaml',
  ])
})

test('what is in the -wal alone is in the backup, also after a kill and without the -shm', async () => {
  const peers = { segment: 'http://127.0.0.1:9', refiner: 'http://127.0.0.1:9' }
  using place = workplace(peers)
  using killed = workplace(peers)
  const store = await openStore(join(place.folder, DATABASE))
  storeItem(store, 'late', 1, [])
  // As a kill leaves them.
  mkdirSync(join(killed.folder, 'data'))
  for (const end of ['', '-wal']) {
    copyFileSync(join(place.folder, DATABASE + end), join(killed.folder, DATABASE + end))
  }
  store.close()
  const { stdout } = await runHere(['backup', 'kept.db', '--json'], killed.folder, {})
  expect(JSON.parse(stdout)).toMatchObject({ contents: { received: 1 } })
})

test('a backup that is killed leaves the database good, and no half copy under its name', async () => {
  using place = workplace({ segment: 'http://127.0.0.1:9', refiner: 'http://127.0.0.1:9' })
  await largeDatabase(join(place.folder, DATABASE))
  const kept = join(place.folder, 'kept.db')
  const killed = run(PROGRAM, ['backup', 'kept.db'], place.folder)
  await until(() => existsSync(`${kept}.part`) && statSync(`${kept}.part`).size > 0)
  killed.process.kill('SIGKILL')
  await killed.process.exited
  if (existsSync(kept))
    expect(await runHere(['verify', 'kept.db'], place.folder, {})).toMatchObject({ code: 0 })
  expect(await runHere(['verify'], place.folder, {})).toMatchObject({ code: 0 })
  expect(await runHere(['backup', 'kept.db', '--force'], place.folder, {})).toMatchObject({ code: 0 })
  expect(existsSync(`${kept}.part`)).toBe(false)
})

test('a backup that is asked to stop leaves nothing', async () => {
  using place = workplace({ segment: 'http://127.0.0.1:9', refiner: 'http://127.0.0.1:9' })
  await largeDatabase(join(place.folder, DATABASE))
  const part = join(place.folder, 'kept.db.part')
  const stopped = run(PROGRAM, ['backup', 'kept.db'], place.folder)
  await until(() => existsSync(part) && statSync(part).size > 0)
  stopped.process.kill('SIGINT')
  const code = await stopped.process.exited
  expect(existsSync(part)).toBe(false)
  expect(existsSync(join(place.folder, 'kept.db'))).toBe(code === 0)
})

test('retention and vacuum that are killed in the middle leave the database good, with all that is open', async () => {
  using place = workplace({ segment: 'http://127.0.0.1:9', refiner: 'http://127.0.0.1:9' })
  const database = join(place.folder, DATABASE)
  await largeDatabase(database)
  const good = async () => {
    const { stdout } = await runHere(['verify', '--json'], place.folder, {})
    expect(JSON.parse(stdout)).toMatchObject({ problems: [], contents: { deliveries: { pending: 10 } } })
  }
  const program = join(import.meta.dir, '..', 'programs', 'endless-housekeeping.ts')
  for (const steps of [3, 10, 1]) {
    const killed = run([process.execPath, program], [database], place.folder)
    await until(() => killed.output().split('step').length > steps || killed.process.exitCode !== null)
    killed.process.kill('SIGKILL')
    await killed.process.exited
    await good()
  }
  const vacuum = run(PROGRAM, ['vacuum'], place.folder)
  const walSize = () => statSync(`${database}-wal`, { throwIfNoEntry: false })?.size ?? 0
  await until(() => walSize() > 0 || vacuum.process.exitCode !== null)
  vacuum.process.kill('SIGKILL')
  await vacuum.process.exited
  await good()
  expect(await runHere(['vacuum'], place.folder, {})).toMatchObject({ code: 0 })
  await good()
})

/** Some 20 MB, with ten open deliveries. */
async function largeDatabase(path: string): Promise<void> {
  const store = await openStore(path)
  const payload = JSON.stringify({ text: 'x'.repeat(2000) })
  store.transaction(() => {
    for (let index = 0; index < 4000; index++) {
      const state = index % 400 === 0 ? 'pending' : 'delivered'
      storeItem(store, `item-${index}`, 1, [{ state, settledAt: 1 }], payload)
    }
  })
  store.close()
}

test('serve refuses the file of a newer version, and says what to do', async () => {
  using place = workplace({ segment: 'http://127.0.0.1:9', refiner: 'http://127.0.0.1:9' })
  const store = await openStore(join(place.folder, DATABASE))
  storeItem(store, 'kept', 1, [])
  store.sqlite.run(`insert into kysely_migration values ('999-later', '2099-01-01T00:00:00.000Z')`)
  store.close()
  const refused = run(PROGRAM, ['serve'], place.folder)
  expect(await refused.process.exited).toBe(1)
  expect(await refused.whole()).toContain('a newer version of refiner-sync made this file; run that version')
  const verified = await runHere(['verify'], place.folder, {})
  expect(verified).toMatchObject({ code: 1, stdout: expect.stringContaining('999-later is not known here') })
  using sqlite = new Database(join(place.folder, DATABASE))
  expect(sqlite.query('select dedup_key from inbox').all()).toEqual([{ dedup_key: 'kept' }])
})
