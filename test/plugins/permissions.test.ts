import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { transforming, workshop } from './support.ts'

const shop = workshop()

const clocks = [
  'Date.now()',
  'new Date()',
  'Date()',
  'new (new Date(0).constructor as any)()',
  'new (class extends Date {})()',
  'Reflect.construct(Date, [])',
  'Reflect.construct(Date, [], Object)',
  'new (Object.getPrototypeOf(new Date(0)).constructor)()',
  '(new Date(0).constructor as any).now()',
  'Date.prototype.constructor()',
  'new (Date.bind(null) as any)()',
  '(async () => Date.now())()',
  'Function("return new Date()")()',
  '(0, eval)("Date.now()")',
]

describe('without the clock', () => {
  test.each(clocks)('%s says which permission it needs', async (code) => {
    const run = await shop.plugin(transforming(`return Promise.resolve(${code}).then((at) => [at])`))
    const result = await run()
    expect(result).toMatchObject({ kind: 'failed' })
    if (result.kind === 'failed') expect(result.detail).toContain('needs `permissions: { time: true }`')
  })

  test('dates that are given still work', async () => {
    const run = await shop.plugin(
      transforming(`const at = new Date('2024-05-06T07:08:09.000Z')
        return [at.toISOString(), at instanceof Date, Date.parse('2024-01-01T00:00:00Z'), Date.UTC(2024, 0, 1),
          new Date(2024, 0, 1) instanceof Date, new (class extends Date {})(0).getTime(), Date.name, Date.length]`),
    )
    expect(await run()).toEqual({
      kind: 'messages',
      messages: '["2024-05-06T07:08:09.000Z",true,1704067200000,1704067200000,true,0,"Date",7]',
    })
  })
})

test('with the clock, it tells the time', async () => {
  const run = await shop.plugin(transforming('return [Date.now(), +new Date(), typeof Date()]'), {
    permissions: { time: true },
  })
  const result = await run()
  if (result.kind !== 'messages') throw new Error(result.reason)
  const [now, date, text] = JSON.parse(result.messages)
  expect(Math.abs(now - Date.now())).toBeLessThan(3_600_000)
  expect(Math.abs(date - now)).toBeLessThan(3_600_000)
  expect(text).toBe('string')
})

test('without chance, Math.random says which permission it needs, and there is no crypto', async () => {
  const run = await shop.plugin(
    transforming("if (typeof crypto !== 'undefined') return ['crypto']; return [Math.random()]"),
  )
  const result = await run()
  if (result.kind !== 'failed') throw new Error(result.kind)
  expect(result.detail).toContain('needs `permissions: { random: true }`')
})

test('with chance, there are numbers and IDs', async () => {
  const run = await shop.plugin(transforming('return [Math.random() < 1, crypto.randomUUID()]'), {
    permissions: { random: true },
  })
  const result = await run()
  if (result.kind !== 'messages') throw new Error(result.reason)
  expect(JSON.parse(result.messages)).toEqual([true, expect.stringMatching(/^[0-9a-f-]{36}$/)])
})

describe('with the network', () => {
  let server: Bun.Server<undefined>
  const waiting = Promise.withResolvers<Response>()
  beforeEach(() => {
    server = Bun.serve({
      port: 0,
      hostname: '127.0.0.1',
      async fetch(request) {
        const { pathname } = new URL(request.url)
        if (pathname === '/redirect') return Response.redirect('/other', 302)
        if (pathname === '/large') return new Response('x'.repeat(1024 * 1024 + 1))
        if (pathname === '/slow') return waiting.promise
        const body = await request.text()
        return Response.json(
          { method: request.method, body, token: request.headers.get('x-token') },
          { headers: { 'x-kind': 'echo' } },
        )
      },
    })
  })
  afterEach(() => server.stop(true))

  const fetching = async (code: string, timeoutMs = 2000, net = [`127.0.0.1:${server.port}`]) => {
    const run = await shop.plugin(
      transforming(`const base = 'http://127.0.0.1:${server.port}'; return (async () => { ${code} })()`),
      {
        timeoutMs,
        permissions: { net },
      },
    )
    const result = await run()
    return result.kind === 'messages'
      ? JSON.parse(result.messages)
      : result.kind === 'failed'
        ? (result.detail ?? result.reason)
        : 'skipped'
  }

  test('it sends and reads', async () => {
    expect(
      await fetching(`const answer = await fetch(base + '/x', { method: 'POST', headers: { 'X-Token': 't' }, body: 'hello' })
        return [answer.ok, answer.status, answer.headers.get('X-Kind'), answer.headers.get('constructor'), await answer.json(), typeof await answer.text()]`),
    ).toEqual([true, 200, 'echo', null, { method: 'POST', body: 'hello', token: 't' }, 'string'])
  })

  test('it sends side by side', async () => {
    const code =
      "return Promise.all([1, 2, 3].map(async (n) => (await (await fetch(base + '/' + n, { method: 'PUT', body: String(n) })).json()).body))"
    expect(await fetching(code)).toEqual(['1', '2', '3'])
  })

  test.each([
    ["fetch('http://example.com/')", 'fetch: example.com is not in `permissions.net`'],
    ["fetch('http://127.0.0.1:1/')", 'fetch: 127.0.0.1:1 is not in `permissions.net`'],
    ["fetch('http://127.0.0.1/')", 'fetch: 127.0.0.1 is not in `permissions.net`'],
    ["fetch(base.replace('http://', 'http://user:pass@'))", 'fetch: the URL must hold no user or password'],
    ["fetch('file:///etc/passwd')", 'fetch: only http and https'],
    ["fetch('/relative')", 'fetch: the first argument is not a URL'],
    ["fetch(base + '/redirect')", 'answered with a redirect'],
    ["fetch(base + '/large')", 'fetch: the answer is longer than 1 MB'],
    ["fetch(base, { headers: { Host: 'other' } })", 'fetch: the header host cannot be set'],
    ['fetch(base, { method: "POST", body: {} })', 'fetch: the body must be a string'],
  ])('%s is refused', async (code, message) => {
    expect(await fetching(`await ${code}; return []`)).toContain(message)
  })

  test('what it waits for too long fails the call, and the next one is answered', async () => {
    const run = await shop.plugin(
      transforming(
        `return interaction.slow ? fetch('http://127.0.0.1:${server.port}/slow').then(() => []) : [1]`,
      ),
      { permissions: { net: [`127.0.0.1:${server.port}`] }, timeoutMs: 500 },
    )
    const slow = { interaction: '{"slow":true}', messages: '[]', body: '{}' }
    expect(await run('acme', slow)).toMatchObject({ kind: 'failed', reason: 'took longer than 500ms' })
    expect(await run()).toEqual({ kind: 'messages', messages: '[1]' })
  })

  test('what is not waited for does not reach the next call', async () => {
    const run = await shop.plugin(
      transforming(
        `fetch('http://127.0.0.1:${server.port}/slow').then(() => { while (true) {} }, () => { while (true) {} }); return [1]`,
      ),
      { permissions: { net: [`127.0.0.1:${server.port}`] } },
    )
    for (const _ of [1, 2, 3]) expect(await run()).toEqual({ kind: 'messages', messages: '[1]' })
  })
})
