import { afterEach, beforeEach, expect, test } from 'bun:test'
import {
  chmodSync,
  mkdtempSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { serve } from '../../src/cli/serve.ts'
import { FileWatch } from '../../src/daemon/file-watch.ts'
import { startRefinerStandIn } from '../../src/demo/refiner-stand-in.ts'
import { startSegmentStandIn } from '../../src/demo/segment-stand-in.ts'
import { ADMIN_TOKEN, fileText, startFileLoop } from '../support/file-loop.ts'
import { handClock } from '../support/hand-clock.ts'
import { deadline, until } from '../support/loop.ts'
import { FROM_SOURCE, PROGRAM, run, workplace } from '../support/process.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'refiner-sync-watch-'))
})
afterEach(() => {
  rmSync(folder, { recursive: true })
})

/** Watches files with a clock of its own; `look` passes a second and waits until it has looked. */
async function watching(files: readonly string[], readAt = Infinity) {
  const clock = handClock()
  let changes = 0
  let looks = Promise.withResolvers<void>()
  const timed = {
    ...clock,
    after(ms: number, work: () => void) {
      looks.resolve()
      return clock.after(ms, work)
    },
  }
  const watch = new FileWatch(timed, async () => {
    changes += 1
    await watch.follow(files, await watch.stamps(), Infinity)
  })
  await watch.follow(files, new Map(), readAt)
  watch.start()
  return {
    async look(times = 1) {
      const before = changes
      for (let n = 0; n < times; n++) {
        looks = Promise.withResolvers()
        clock.pass(1000)
        await looks.promise
      }
      return changes - before
    },
    stop: () => watch.stop(),
  }
}

test('a change is told once the file has been the same for two looks', async () => {
  const file = join(folder, 'a.yaml')
  writeFileSync(file, 'one')
  const watch = await watching([file])
  expect(await watch.look(3)).toBe(0)
  writeFileSync(file, 'half')
  expect(await watch.look()).toBe(0)
  writeFileSync(file, 'half and more')
  expect(await watch.look()).toBe(0)
  expect(await watch.look()).toBe(1)
  expect(await watch.look(3)).toBe(0)
  watch.stop()
})

test('what changed while it was read for the first time is told, once', async () => {
  const [old, young] = [join(folder, 'a.yaml'), join(folder, 'b.yaml')]
  writeFileSync(old, 'one')
  const readAt = statSync(old).ctimeMs + 20
  const watch = await watching([old], readAt)
  expect(await watch.look(3)).toBe(0)
  watch.stop()
  await until(() => {
    writeFileSync(young, 'two')
    return statSync(young).ctimeMs >= readAt
  })
  const later = await watching([old, young], readAt)
  expect(await later.look(2)).toBe(1)
  expect(await later.look(3)).toBe(0)
  later.stop()
})

test('a file that is gone, comes, is replaced, cannot be reached, or is a link to nothing has a state too', async () => {
  const file = join(folder, 'a.yaml')
  const link = join(folder, 'b.yaml')
  const inside = join(folder, 'inside')
  const watch = await watching([file, link, join(inside, 'c')])
  writeFileSync(file, 'one')
  expect(await watch.look(2)).toBe(1)
  writeFileSync(`${file}.new`, 'two')
  renameSync(`${file}.new`, file)
  expect(await watch.look(2)).toBe(1)
  unlinkSync(file)
  expect(await watch.look(2)).toBe(1)
  symlinkSync(join(folder, 'nowhere'), link)
  expect(await watch.look(2)).toBe(0)
  writeFileSync(join(folder, 'nowhere'), 'somewhere')
  expect(await watch.look(2)).toBe(1)
  writeFileSync(inside, 'no folder')
  expect(await watch.look(2)).toBe(1)
  chmodSync(inside, 0)
  expect(await watch.look(2)).toBe(0)
  watch.stop()
})

test('the daemon takes a file that changed by itself, also one that it has refused before', async () => {
  const clock = handClock()
  await using loop = await startFileLoop({ tenants: { acme: {} } }, { clock })
  const passUntil = (holds: () => boolean) =>
    until(() => {
      clock.pass(1000)
      return holds()
    })
  const { daemon } = loop
  loop.write({ tenants: {}, more: '\tno: yaml\n' })
  await passUntil(() => daemon.health().configuration.status === 'rejected')
  loop.write({ tenants: { acme: {}, beta: {} } })
  await passUntil(() => 'beta' in daemon.health().tenants)
  expect(daemon.health().status).toBe('ok')
  // Of the plugin that is new in it, only the broken attempt knows.
  const plugin = join(dirname(loop.file), 'tag.ts')
  writeFileSync(plugin, 'export default {{')
  const more = 'plugins: { tag: { path: ./tag.ts } }'
  loop.write({ tenants: { acme: { plugins: ['tag'] } }, more })
  await passUntil(() => daemon.health().configuration.status === 'rejected')
  writeFileSync(plugin, `export default { name: 'tag', transform: (_, messages) => messages }`)
  await passUntil(() => daemon.health().configuration.status === 'ok')
  unlinkSync(loop.file)
  await passUntil(() => daemon.health().configuration.status === 'rejected')
  expect(daemon.health().configuration.first_mistake!.message).toContain('cannot read')
  loop.write({ tenants: { acme: {} } })
  await passUntil(() => daemon.health().configuration.status === 'ok')
})

test('the process reads its file again on SIGHUP, takes changes by itself, and still ends on SIGTERM', async () => {
  await using stops = new AsyncDisposableStack()
  const segment = startSegmentStandIn({ writeKeys: 'any' })
  const refiner = startRefinerStandIn({ apiKeys: 'any' })
  stops.defer(() => segment.stop())
  stops.defer(() => refiner.stop())
  const peers = { segment: segment.url, refiner: refiner.url }
  using place = workplace(peers)
  const file = join(place.folder, 'refiner-sync.yaml')
  writeFileSync(file, fileText({ tenants: { acme: {} } }, peers))
  const daemon = run(PROGRAM, ['serve'], place.folder)
  stops.defer(() => daemon.process.kill('SIGKILL'))
  const url = await daemon.url()

  daemon.process.kill('SIGHUP')
  await until(() => daemon.output().includes('configuration reloaded'), deadline())
  writeFileSync(file, fileText({ tenants: { acme: {}, beta: {} } }, peers))
  const tenants = async () => {
    const health = (await (await fetch(`${url}/health`)).json()) as { tenants: object }
    return Object.keys(health.tenants)
  }
  await until(async () => (await tenants()).length === 2, deadline())
  expect(daemon.output()).not.toContain(ADMIN_TOKEN)
  daemon.process.kill('SIGTERM')
  expect(await daemon.process.exited).toBe(0)
})

test('a hangup is listened to before anything is read: one that comes early does not end the process', async () => {
  const file = join(folder, 'refiner-sync.yaml')
  const peers = { segment: 'http://127.0.0.1:9', refiner: 'http://127.0.0.1:9' }
  writeFileSync(file, fileText({ tenants: { acme: {} } }, peers))
  let listens = false
  const context = {
    environment: {},
    print() {},
    printError() {},
    terminal: false,
    stopped: Promise.resolve(),
    onHangup: () => void (listens = true),
  }
  const running = serve({ config: file, logLevel: 'error' }, context)
  expect(listens).toBe(true)
  expect(await running).toBe(0)
})

test('a hangup while the program is still being loaded does not end it either', async () => {
  await using stops = new AsyncDisposableStack()
  using place = workplace({ segment: 'http://127.0.0.1:9', refiner: 'http://127.0.0.1:9' })
  const hold = join(place.folder, 'hold.ts')
  writeFileSync(
    hold,
    `Bun.plugin({ name: 'hold', setup(build) {
      build.onLoad({ filter: /src.cli.program.ts$/ }, async ({ path }) => {
        console.log('loading')
        Bun.sleepSync(200)
        return { contents: await Bun.file(path).text(), loader: 'ts' }
      })
    } })`,
  )
  const [bun = '', main = ''] = FROM_SOURCE
  const daemon = run([bun, '--preload', hold, main], ['serve'], place.folder)
  stops.defer(() => daemon.process.kill('SIGKILL'))
  await until(() => daemon.output().includes('loading'))
  daemon.process.kill('SIGHUP')
  await until(() => daemon.process.signalCode !== null || daemon.output().includes('configuration reloaded'))
  daemon.process.kill('SIGTERM')
  expect(await daemon.process.exited).toBe(0)
})
