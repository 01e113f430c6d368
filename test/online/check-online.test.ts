import { afterAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type RefinerStandIn, startRefinerStandIn } from '../../src/demo/refiner-stand-in.ts'
import { type PeerRequest, type Respond, startScriptedServer } from '../../src/demo/scripted-server.ts'
import { startSegmentStandIn } from '../../src/demo/segment-stand-in.ts'
import type { Probed } from '../../src/online/probe.ts'
import { SELF_SIGNED } from '../fixtures/self-signed.ts'
import { fileText } from '../support/file-loop.ts'
import { startLoop } from '../support/loop.ts'
import { type Ran, runHere } from '../support/in-process.ts'

interface Setup {
  readonly refiner?: Respond
  readonly segment?: Respond
  /** The URL of either, instead. */
  readonly at?: { readonly refiner?: string; readonly segment?: string }
  readonly args?: readonly string[]
  readonly text?: (text: string) => string
}

/** Runs `check --online` on a configuration whose peers are stand-ins, or what the setup makes of them. */
async function checked({
  refiner: answer,
  segment: respond,
  at = {},
  args = [],
  text = (it) => it,
}: Setup = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'refiner-sync-online-'))
  const refiner = startRefinerStandIn({ apiKeys: ['acme-refiner-key'], ...(answer && { respond: answer }) })
  const segment = startSegmentStandIn({ writeKeys: 'any', ...(respond && { respond }) })
  const peers = { refiner: at.refiner ?? refiner.url, segment: at.segment ?? segment.url }
  writeFileSync(join(folder, 'refiner-sync.yaml'), text(fileText({ tenants: { acme: {} } }, peers)))
  try {
    const run = (...more: string[]): Promise<Ran> =>
      runHere(['check', '--online', ...args, ...more], folder, {})
    const json = await run('--json')
    const told = await run()
    expect(told.code).toBe(json.code)
    for (const { stdout, stderr } of [json, told]) {
      expect(stdout + stderr).not.toMatch(
        /acme-(refiner|write|destination)-key|acme-webhook-secret|the-admin-token/,
      )
    }
    const { ok, online } = JSON.parse(json.stdout) as { ok: boolean; online: Probed[] }
    expect(json.code).toBe(ok ? 0 : 1)
    expect(segment.messages).toHaveLength(0)
    expect(refiner.calls).toHaveLength(0)
    const of = (what: Probed['what']) => online.find((one) => one.what === what)
    return { ...told, of, peers }
  } finally {
    await refiner.stop()
    await segment.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

const account =
  (body: unknown): Respond =>
  ({ path }) =>
    path === '/v1/account' ? Response.json(body) : null
const always =
  (status: number, headers: Record<string, string> = {}): Respond =>
  () =>
    Response.json({ message: 'no' }, { status, headers })
const LATE = { date: 'Wed, 01 Jan 2025 00:00:00 GMT' }

test('where all is well it exits with 0, and says what cannot be known', async () => {
  const { code, stdout, of } = await checked({
    refiner: account({ usage: { responses: { used: 4, limit: 50 } } }),
  })
  expect(code).toBe(0)
  expect(of('refiner key')).toMatchObject({ status: 'ok', said: expect.stringContaining('Stand-in') })
  expect(of('refiner account')).toMatchObject({
    status: 'ok',
    said: expect.stringContaining('usage.responses.limit 50'),
  })
  expect(of('segment')).toMatchObject({ status: 'ok' })
  expect(of('segment write key')).toMatchObject({
    status: 'unknown',
    said: expect.stringContaining('cannot be known'),
  })
  expect(of('clock')).toMatchObject({ status: 'ok' })
  expect(of('public url')).toMatchObject({ status: 'unknown' })
  expect(stdout).toContain('refiner-sync.yaml: ok')
})

test.each<[what: string, setup: Setup, which: Probed['what'], says: RegExp]>([
  [
    'a key that Refiner refuses',
    { text: (it) => it.replace('acme-refiner-key', 'another-refiner-key') },
    'refiner key',
    /refuses the key.*401/,
  ],
  [
    'an account that is used up',
    { refiner: account({ responses: { usage: 50, limit: 50 } }) },
    'refiner account',
    /used up: responses/,
  ],
  [
    "an endpoint that is not Refiner's",
    { refiner: () => new Response('<html>', { headers: { 'content-type': 'text/html' } }) },
    'refiner key',
    /web page/,
  ],
  ['a Refiner that fails', { refiner: always(500) }, 'refiner key', /500/],
  [
    'a redirect',
    { refiner: always(301, { location: 'https://elsewhere.example' }) },
    'refiner key',
    /redirect/,
  ],
  ['a Segment that refuses the key', { segment: always(401) }, 'segment write key', /refuses the write key/],
  ["an endpoint that is not Segment's", { segment: always(404) }, 'segment', /404/],
  ['nothing that listens', { at: { segment: 'http://127.0.0.1:9' } }, 'segment', /nothing listens there/],
  [
    'a Segment that hangs',
    { segment: () => 'hang', text: (it) => it.replace('timeout: 2s', 'timeout: 200ms') },
    'segment',
    /does not answer in time/,
  ],
  [
    'a clock that is wrong',
    { segment: always(200, LATE), refiner: always(401, LATE) },
    'clock',
    /minutes ahead/,
  ],
  [
    'a public URL that nothing answers',
    { args: ['--url', 'http://127.0.0.1:9'] },
    'public url',
    /nothing listens there/,
  ],
])('%s fails, and it says what to change', async (_, setup, which, says) => {
  const { code, stdout, of } = await checked(setup)
  expect(code).toBe(1)
  const { status, said, advice } = of(which)!
  expect([status, said]).toEqual(['failed', expect.stringMatching(says)])
  expect(stdout).toContain(said)
  expect(stdout).toContain(advice!)
})

test("where one clock agrees with this machine's, it is not this machine's that is wrong", async () => {
  const { code, of } = await checked({ segment: always(200, LATE) })
  expect([code, of('clock')]).toMatchObject([
    0,
    { status: 'unknown', said: expect.stringContaining('by that of the other side it is right') },
  ])
})

describe('with a server at the public URL', () => {
  let answers: (request: PeerRequest) => Response
  const proxy = startScriptedServer({ port: 0, respond: null, answer: (request) => answers(request) })
  afterAll(() => proxy.stop())
  const livez = ({ path }: PeerRequest) =>
    path === '/sync/livez' ? Response.json({ status: 'ok' }) : new Response('no', { status: 404 })

  test('it is asked by the path that it has', async () => {
    answers = livez
    const { code, of } = await checked({ args: ['--url', `${proxy.url}/sync/`] })
    expect([code, of('public url')]).toMatchObject([
      0,
      { status: 'ok', said: expect.stringContaining('without TLS') },
    ])
  })

  test('the one of the configuration is taken without --url', async () => {
    answers = livez
    const text = (it: string) => it.replace('server: {', `server: { public_url: "${proxy.url}/sync",`)
    expect((await checked({ text })).of('public url')).toMatchObject({ status: 'ok' })
  })

  test('a proxy that passes on /v1 alone will do', async () => {
    await using loop = await startLoop()
    const passed = await fetch(`${loop.daemon.url}/v1/segment`)
    const text = await passed.text()
    answers = ({ path }) =>
      path === '/v1/segment'
        ? new Response(text, { status: passed.status })
        : new Response('no', { status: 404 })
    expect((await checked({ args: ['--url', proxy.url] })).of('public url')).toMatchObject({ status: 'ok' })
  })

  test('a proxy that lets no GET pass is not taken for another server', async () => {
    answers = () => new Response('no', { status: 403 })
    const { code, of } = await checked({ args: ['--url', proxy.url] })
    expect([code, of('public url')]).toMatchObject([
      0,
      { status: 'unknown', said: expect.stringContaining('403 to a GET') },
    ])
  })

  test('a redirect is told as one', async () => {
    answers = () => new Response(null, { status: 301, headers: { location: 'https://elsewhere.example' } })
    expect((await checked({ args: ['--url', proxy.url] })).of('public url')).toMatchObject({
      status: 'failed',
      said: expect.stringContaining('301, a redirect'),
    })
  })

  test('what is no refiner-sync is not taken for one', async () => {
    answers = () => Response.json({ status: 'fine' })
    const { code, of } = await checked({ args: ['--url', proxy.url] })
    expect([code, of('public url')]).toMatchObject([
      1,
      { status: 'failed', said: expect.stringContaining('no refiner-sync') },
    ])
  })
})

test('a certificate that nobody vouches for fails', async () => {
  const server = Bun.serve({ port: 0, tls: SELF_SIGNED, fetch: () => Response.json({ status: 'ok' }) })
  try {
    const { of } = await checked({ args: ['--url', `https://127.0.0.1:${server.port}`] })
    expect(of('public url')).toMatchObject({
      status: 'failed',
      said: expect.stringContaining('certificate is not trusted'),
    })
  } finally {
    await server.stop(true)
  }
})

test('a wrong configuration is told as without --online, and nothing is asked', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'refiner-sync-online-'))
  let refiner: RefinerStandIn | null = null
  try {
    refiner = startRefinerStandIn({ apiKeys: 'any' })
    const text = fileText({ tenants: { acme: {} } }, { refiner: refiner.url, segment: refiner.url })
    writeFileSync(join(folder, 'refiner-sync.yaml'), text.replace('api_key:', 'api_kee:'))
    expect((await runHere(['check', '--online'], folder, {})).code).toBe(1)
    expect(refiner.requests).toBe(0)
    expect((await runHere(['check', '--url', 'https://sync.example.com'], folder, {})).code).toBe(2)
  } finally {
    await refiner?.stop()
    rmSync(folder, { recursive: true, force: true })
  }
})
