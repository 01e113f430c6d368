import { expect, test } from 'bun:test'
import { Database } from 'bun:sqlite'
import { realpathSync } from 'node:fs'
import { join } from 'node:path'
import { startRefinerStandIn } from '../../src/demo/refiner-stand-in.ts'
import { startSegmentStandIn } from '../../src/demo/segment-stand-in.ts'
import { withResponse } from '../fixtures/refiner-webhook.ts'
import { compiler, type DiskFaults, faultyDisk } from '../support/faulty-disk.ts'
import { bearer, deadline, postTo, until } from '../support/loop.ts'
import { PROGRAM, run, type Running, workplace } from '../support/process.ts'

/** A daemon whose database is on a disk that fails on command, between peers that take everything when `isOpen`. */
async function onFaultyDisk() {
  const stops = new AsyncDisposableStack()
  let isOpen = false
  const respond = () => (isOpen ? null : ('hang' as const))
  const segment = startSegmentStandIn({ writeKeys: 'any', respond })
  const refiner = startRefinerStandIn({ apiKeys: 'any' })
  stops.defer(() => segment.stop())
  stops.defer(() => refiner.stop())
  const place = stops.use(workplace({ segment: segment.url, refiner: refiner.url }))
  const database = join(realpathSync(place.folder), 'data', 'refiner-sync.db')
  const disk = stops.use(faultyDisk(database))
  const start = () => {
    const running = run(PROGRAM, ['serve'], place.folder, disk.env)
    stops.defer(() => running.process.kill('SIGKILL'))
    return running
  }
  const open = () => {
    isOpen = true
  }
  return { disk, database, segment, start, open, [Symbol.asyncDispose]: () => stops.disposeAsync() }
}

function send(url: string, id: string): Promise<Response> {
  const body = withResponse({ uuid: id, data: { id } }, { remote_id: `user-${id}`, account: null })
  return postTo(url, '/v1/refiner/acme', body, bearer('acme-webhook-secret'))
}

async function killed({ process }: Running): Promise<void> {
  process.kill('SIGKILL')
  await process.exited
}

const FAULTS: readonly (readonly [name: string, faults: DiskFaults, words: RegExp])[] = [
  ['writes fail', { write: 'EIO' }, /writing to the disk failed/],
  ['syncs fail', { fsync: 'EIO' }, /did not confirm what was written/],
  ['the disk is full', { write: 'ENOSPC' }, /the disk is full/],
  ['the file system becomes read-only', { write: 'EROFS' }, /writing to the disk failed/],
]

if (compiler() === null) {
  console.warn('the faults of a disk are NOT tested: this needs a C compiler on Linux')
} else {
  test.each(FAULTS)(
    'while %s nothing is acknowledged and /health says why; then all is well by itself, also after a power cut',
    async (_, faults, words) => {
      await using at = await onFaultyDisk()
      const daemon = at.start()
      const url = await daemon.url()
      expect((await send(url, 'before')).status).toBe(200)
      // What follows the mapping and the lease in the -wal is only as good as they are, and they are not synced.
      await until(() => at.segment.requests === 1)

      at.disk.set(faults)
      for (const id of ['during-1', 'during-2']) {
        const refused = await send(url, id)
        expect(refused.status).toBe(503)
        expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
      }
      const health = await fetch(`${url}/health`)
      expect(health.status).toBe(503)
      expect(await health.json()).toMatchObject({
        status: 'down',
        database: { status: 'down', error: expect.stringMatching(words) },
      })
      expect((await fetch(`${url}/livez`)).status).toBe(200)

      at.disk.set({})
      expect((await send(url, 'after')).status).toBe(200)
      expect(await (await fetch(`${url}/health`)).json()).toMatchObject({ database: { status: 'ok' } })

      await killed(daemon)
      at.disk.powerCut()
      at.open()
      const next = at.start()
      await next.url()
      const ids = () => new Set(at.segment.delivered.map(({ message }) => message['userId']))
      await at.segment.until(() => ids().has('user-before') && ids().has('user-after'), deadline())
      await killed(next)
    },
  )

  test('who reads the database while it is mended is not disturbed, and said to be in the way', async () => {
    await using at = await onFaultyDisk()
    const daemon = at.start()
    const url = await daemon.url()
    expect((await send(url, 'before')).status).toBe(200)
    using reader = new Database(at.database)
    const count = () => reader.query('select count(*) from inbox').values()[0]![0]
    reader.run('begin')
    expect(count()).toBe(1)
    at.disk.set({ fsync: 'EIO' })
    expect((await send(url, 'during')).status).toBe(503)
    at.disk.set({})
    expect((await send(url, 'during')).status).toBe(503)
    expect(await (await fetch(`${url}/health`)).json()).toMatchObject({
      database: {
        status: 'down',
        error: expect.stringContaining('somebody who reads or copies it is in the way'),
      },
    })
    expect(count()).toBe(1)
    reader.run('commit')
    expect((await send(url, 'after')).status).toBe(200)
    expect(reader.query('pragma integrity_check').values()).toEqual([['ok']])
    await killed(daemon)
  })

  test('a start on a disk that takes nothing ends at once and says why, and loses nothing', async () => {
    await using at = await onFaultyDisk()
    const first = at.start()
    expect((await send(await first.url(), 'before')).status).toBe(200)
    await killed(first)
    at.disk.set({ write: 'ENOSPC' })
    const second = at.start()
    expect(await second.process.exited).toBe(1)
    expect(await second.whole()).toMatch(/opening the database .*refiner-sync\.db: /)
    at.disk.set({})
    at.open()
    const third = at.start()
    await third.url()
    await at.segment.until((messages) => messages.length > 0, deadline())
    await killed(third)
  })

  test('what the system throws away after a failed sync costs nothing acknowledged, and damages nothing', async () => {
    await using at = await onFaultyDisk()
    const daemon = at.start()
    const url = await daemon.url()
    expect((await send(url, 'before')).status).toBe(200)
    await until(() => at.segment.requests === 1)
    at.disk.set({ fsync: 'EIO' })
    expect((await send(url, 'during')).status).toBe(503)
    // Some file systems give up what they could not write: it is read as it was before.
    expect(at.disk.powerCut()).toBeGreaterThan(0)
    at.disk.set({})
    expect((await send(url, 'after')).status).toBe(200)
    at.open()
    const ids = () => new Set(at.segment.delivered.map(({ message }) => message['userId']))
    await at.segment.until(() => ids().has('user-before') && ids().has('user-after'), deadline())
    await killed(daemon)
    at.disk.powerCut()
    using sqlite = new Database(at.database)
    expect(sqlite.query('pragma integrity_check').values()).toEqual([['ok']])
  })

  test('a disk whose syncs take 5 ms holds up nobody for long: what waits shares them', async () => {
    await using at = await onFaultyDisk()
    at.open()
    at.disk.set({ delayMs: 5 })
    const daemon = at.start()
    const url = await daemon.url()
    const answers = await Promise.all(Array.from({ length: 200 }, (_, n) => send(url, `slow-${n}`)))
    expect(answers.every(({ status }) => status === 200)).toBe(true)
    await at.segment.until(
      (messages) => new Set(messages.map(({ message }) => message['userId'])).size === 200,
      deadline(),
    )
    await killed(daemon)
  })
}
