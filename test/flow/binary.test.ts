import { afterAll, beforeAll, expect, test } from 'bun:test'
import { appendFileSync, cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startRefinerStandIn } from '../../src/demo/refiner-stand-in.ts'
import { startSegmentStandIn } from '../../src/demo/segment-stand-in.ts'
import { VERSION } from '../../src/version.ts'
import { completedSurvey, withResponse } from '../fixtures/refiner-webhook.ts'
import { bearer, deadline, postTo, until } from '../support/loop.ts'
import { BINARY, run, workplace } from '../support/process.ts'

/** The compiled binary alone, copied to folders with nothing but a configuration. */
const ROOT = join(import.meta.dir, '..', '..')
let folder: string
let binary: string

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'refiner-sync-binary-'))
  const built = BINARY ?? join(folder, 'built')
  if (BINARY === null) await build(built)
  binary = join(folder, 'alone', 'refiner-sync')
  cpSync(built, binary, { recursive: true })
})

/** Does what `bun run build` does, to another file. */
async function build(outfile: string): Promise<void> {
  const { scripts } = (await Bun.file(join(ROOT, 'package.json')).json()) as { scripts: { build: string } }
  const command = scripts.build.split('&&').at(-1)!.trim().replace('dist/refiner-sync', outfile)
  const compiler = Bun.spawn([process.execPath, ...command.split(' ').slice(1)], {
    cwd: ROOT,
    stdout: 'ignore',
    stderr: 'inherit',
  })
  expect(await compiler.exited).toBe(0)
}

afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

test('serves: a webhook goes in, its messages come out, a signal ends it', async () => {
  await using stops = new AsyncDisposableStack()
  const segment = startSegmentStandIn({ writeKeys: ['acme-write-key'] })
  const refiner = startRefinerStandIn({ apiKeys: 'any' })
  stops.defer(() => segment.stop())
  stops.defer(() => refiner.stop())
  using place = workplace({ segment: segment.url, refiner: refiner.url })
  const check = run([binary], ['check'], place.folder)
  expect(await check.process.exited).toBe(0)
  const daemon = run([binary], [], place.folder)
  stops.defer(() => daemon.process.kill('SIGKILL'))
  const url = await daemon.url()
  await postTo(url, '/v1/refiner/acme', completedSurvey(), bearer('acme-webhook-secret'))
  await segment.until((messages) => messages.length === 3, deadline())
  const status = run([binary], ['status', '--url', url, '--json'], place.folder)
  expect(await status.process.exited).toBe(0)
  expect(JSON.parse(await status.whole())).toMatchObject({ status: 'ok', version: VERSION })
  const backup = run([binary], ['backup', 'kept.db', '--json'], place.folder)
  expect(await backup.process.exited).toBe(0)
  expect(JSON.parse(await backup.whole())).toMatchObject({ ok: true, contents: { received: 1 } })
  daemon.process.kill('SIGTERM')
  expect(await daemon.process.exited).toBe(0)
})

test('runs plugins, sandboxed and trusted, and takes up a changed one', async () => {
  await using stops = new AsyncDisposableStack()
  const segment = startSegmentStandIn({ writeKeys: ['acme-write-key'] })
  const refiner = startRefinerStandIn({ apiKeys: 'any' })
  stops.defer(() => segment.stop())
  stops.defer(() => refiner.stop())
  using place = workplace({ segment: segment.url, refiner: refiner.url })
  const naming = (event: string) => `
import { suffix } from './part.ts'
export default {
  name: 'naming',
  transform: (_: unknown, messages: { type: string; event?: string }[]) =>
    messages.filter(({ type }) => type === 'track').map((message) => ({ ...message, event: '${event}' + suffix })),
}`
  const put = (name: string, text: string) => writeFileSync(join(place.folder, name), text)
  put('part.ts', "export const suffix: string = '!'")
  put('naming.ts', naming('First'))
  put(
    'trusted.ts',
    `export default { name: 'trusted', transform: async (_: unknown, messages: { event?: string }[]) => {
  await Bun.sleep(1)
  return messages.map((message) => ({ ...message, event: message.event + typeof Bun.version }))
} }`,
  )
  appendFileSync(
    join(place.folder, 'refiner-sync.yaml'),
    `    to_segment: { plugins: [naming, trusted] }
plugins:
  naming: { path: ./naming.ts, timeout: 2s }
  trusted: { path: ./trusted.ts, timeout: 2s, trusted: true }
`,
  )
  const daemon = run([binary], [], place.folder)
  stops.defer(() => daemon.process.kill('SIGKILL'))
  const url = await daemon.url()
  const events = () => segment.messages.map(({ message }) => message['event'])
  const send = (uuid: string) =>
    postTo(url, '/v1/refiner/acme', withResponse({ uuid }), bearer('acme-webhook-secret'))
  await send('one')
  await segment.until((messages) => messages.length === 1, deadline())
  put('naming.ts', naming('Second'))
  daemon.process.kill('SIGHUP')
  await until(() => daemon.output().includes('configuration reloaded'))
  await send('two')
  await segment.until((messages) => messages.length === 2, deadline())
  expect(events()).toEqual(['First!string', 'Second!string'])
})

test('shows the demo in an empty folder', async () => {
  const empty = mkdtempSync(join(folder, 'empty-'))
  const demo = run([binary], ['demo', '--once', '--port', '0'], empty)
  expect(await demo.process.exited).toBe(0)
  for (const call of ['identify', 'group', 'track', 'identify-user', 'track-event', '501']) {
    expect(await demo.whole()).toContain(call)
  }
})

test.each([
  [['version'], 0, VERSION],
  [['--help'], 0, 'refiner-sync demo'],
  [['serve', '--help'], 0, '--config'],
  [['sevre'], 2, "unknown command 'sevre'\\n\\(Did you mean serve"],
  [['--config', 'nowhere.yaml'], 1, 'nowhere.yaml'],
  [['--config', 'nowhere.yaml', 'check'], 1, 'nowhere.yaml'],
  [['serve', '--prot', '1'], 2, '--port|unknown option'],
  [['demo', '--port', 'x'], 2, 'no port'],
  [['check', '--config', 'nowhere.yaml'], 1, 'nowhere.yaml'],
  [['serve', '--config', 'nowhere.yaml'], 1, 'nowhere.yaml'],
  [['status', '--url', 'http://127.0.0.1:9'], 1, 'no daemon answers'],
] as const)('%j exits with %i and says what is to be known', async (args, code, said) => {
  const ran = run([binary], args, folder)
  expect(await ran.process.exited).toBe(code)
  expect(await ran.whole()).toMatch(new RegExp(said))
})
