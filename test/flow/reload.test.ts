import { expect, test } from 'bun:test'
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Reloader } from '../../src/daemon/reloader.ts'
import { withResponse } from '../fixtures/refiner-webhook.ts'
import { ADMIN_TOKEN, type FileLoop, startFileLoop } from '../support/file-loop.ts'
import { handClock } from '../support/hand-clock.ts'
import { basic, bearer, deadline, keptLog, postTo, startLoop, until } from '../support/loop.ts'
import { interactionRule } from '../support/rules.ts'

const webhookOf = (user: string, id: string) =>
  withResponse({ uuid: id, data: { id } }, { remote_id: user, account: null })

const complete = (loop: FileLoop, tenant: string, user: string, id: string) =>
  postTo(loop.daemon.url, `/v1/refiner/${tenant}`, webhookOf(user, id), bearer(`${tenant}-webhook-secret`))

const reloadBy = (loop: FileLoop, headers: Record<string, string>) =>
  fetch(`${loop.daemon.url}/api/reload`, { method: 'POST', headers })

const health = (loop: Pick<FileLoop, 'daemon'>) => loop.daemon.health()

test('tenants come and go while it runs', async () => {
  await using loop = await startFileLoop({ tenants: { acme: {} } })
  expect((await complete(loop, 'beta', 'ada', 'early')).status).toBe(401)

  loop.write({ tenants: { acme: {}, beta: {} } })
  expect(await loop.daemon.reload()).toMatchObject({ ok: true, needsRestart: [] })
  expect((await complete(loop, 'beta', 'ada', 'one')).status).toBe(200)
  expect((await complete(loop, 'acme', 'ada', 'two')).status).toBe(200)
  await loop.segment.until((messages) => messages.length === 4, deadline())
  const keyed = postTo(
    loop.daemon.url,
    '/v1/segment',
    { type: 'identify', userId: 'u' },
    basic('beta-destination-key'),
  )
  expect((await keyed).status).toBe(200)

  loop.write({ tenants: { beta: {} } })
  await loop.daemon.reload()
  expect((await complete(loop, 'acme', 'ada', 'late')).status).toBe(401)
  expect(Object.keys(health(loop).tenants)).toEqual(['beta'])
  expect((await complete(loop, 'beta', 'ada', 'three')).status).toBe(200)
})

test('a broken file changes nothing, health and log name the place, and a mended one heals it', async () => {
  await using loop = await startFileLoop({ tenants: { acme: {} } })
  const before = health(loop).configuration
  expect(before).toMatchObject({ status: 'ok', mistakes: 0, first_mistake: null, needs_restart: [] })

  loop.write({ tenants: { acme: {}, beta: {} }, more: 'deliverry: { timeout: 1s }\nplugins: 7\n' })
  const refused = await loop.daemon.reload()
  const mistakes = refused.ok ? [] : refused.mistakes.map(({ code }) => code)
  expect(mistakes).toContain('unknown_key')
  const { status, configuration, problems, tenants } = health(loop)
  expect(status).toBe('degraded')
  expect(configuration).toMatchObject({
    status: 'rejected',
    loaded_at: before.loaded_at,
    mistakes: mistakes.length,
  })
  expect(configuration.first_mistake).toMatchObject({
    file: loop.file,
    message: expect.stringContaining('deliverry'),
  })
  expect(problems.join()).toContain(`${loop.file}:${configuration.first_mistake!.line}:`)
  expect(Object.keys(tenants)).toEqual(['acme'])
  expect(loop.log.filter((line) => line.includes('unknown_key'))).toHaveLength(1)
  expect(loop.log.join()).not.toContain('excerpt')
  expect((await complete(loop, 'acme', 'ada', 'one')).status).toBe(200)
  const metrics = await (await fetch(`${loop.daemon.url}/metrics`)).text()
  expect(metrics).toContain('refiner_sync_configuration_ok 0')
  expect(metrics).toContain('refiner_sync_reloads_total{result="rejected"} 1')

  loop.write({ tenants: { acme: {}, beta: {} } })
  expect((await loop.daemon.reload()).ok).toBe(true)
  expect(health(loop)).toMatchObject({
    status: 'ok',
    problems: [],
    configuration: { status: 'ok', mistakes: 0 },
  })
  expect(await (await fetch(`${loop.daemon.url}/metrics`)).text()).toContain(
    'refiner_sync_configuration_ok 1',
  )
})

test('the operator reloads it, and is told of each mistake; nobody else does', async () => {
  await using loop = await startFileLoop({ tenants: { acme: {} } })
  loop.write({ tenants: { acme: {}, beta: {} } })
  expect((await reloadBy(loop, {})).status).toBe(401)
  expect((await reloadBy(loop, { ...bearer(ADMIN_TOKEN), 'sec-fetch-site': 'cross-site' })).status).toBe(403)
  expect(Object.keys(health(loop).tenants)).toEqual(['acme'])
  const done = await reloadBy(loop, bearer(ADMIN_TOKEN))
  expect([done.status, await done.json()]).toEqual([200, { ok: true, needs_restart: [], warnings: 0 }])
  expect(Object.keys(health(loop).tenants)).toEqual(['acme', 'beta'])

  loop.write({ tenants: { acme: {} }, more: 'deliverry: { timeout: 1s }\n' })
  const refused = await reloadBy(loop, bearer(ADMIN_TOKEN))
  expect(refused.status).toBe(422)
  expect(await refused.json()).toEqual({
    ok: false,
    mistakes: [
      {
        file: loop.file,
        line: expect.any(Number),
        column: 1,
        code: 'unknown_key',
        message: expect.any(String),
        hint: expect.any(String),
      },
    ],
  })
})

test('what only a restart changes stays as it is and is named', async () => {
  await using loop = await startFileLoop({ tenants: { acme: {} } })
  loop.write({ tenants: { acme: {}, beta: {} }, port: 9 })
  expect(await loop.daemon.reload()).toMatchObject({ ok: true, needsRestart: ['server.port'] })
  expect(health(loop)).toMatchObject({
    status: 'degraded',
    problems: ['only a restart changes server.port'],
    configuration: { status: 'ok', needs_restart: ['server.port'] },
  })
  const metrics = async () => (await fetch(`${loop.daemon.url}/metrics`)).text()
  expect(await metrics()).toContain('refiner_sync_configuration_ok 0')
  expect((await complete(loop, 'beta', 'ada', 'one')).status).toBe(200)
  loop.write({ tenants: { acme: {} } })
  await loop.daemon.reload()
  expect(health(loop).configuration.needs_restart).toEqual([])
  expect(await metrics()).toContain('refiner_sync_configuration_ok 1')
})

test('a new key starts a new lane at once; what is under way ends under the old one, and no user is overtaken', async () => {
  const release = Promise.withResolvers<void>()
  const keys: string[] = []
  await using loop = await startFileLoop(
    { tenants: { acme: { writeKey: 'old-key' } } },
    {
      async segment({ headers }) {
        const key = Buffer.from(headers.get('authorization')!.slice(6), 'base64').toString()
        keys.push(key)
        if (key === 'old-key:') await release.promise
        return null
      },
    },
  )
  await complete(loop, 'acme', 'ada', 'ada-1')
  await until(() => keys.length === 1)
  loop.write({ tenants: { acme: { writeKey: 'new-key' } } })
  await loop.daemon.reload()
  await complete(loop, 'acme', 'ada', 'ada-2')
  await complete(loop, 'acme', 'bob', 'bob-1')
  await loop.segment.until((messages) => messages.length === 2, deadline())
  expect(tracked(loop)).toEqual(['bob-1'])
  release.resolve()
  await loop.segment.until((messages) => messages.length === 6, deadline())
  expect(tracked(loop)).toEqual(['bob-1', 'ada-1', 'ada-2'])
  expect([...new Set(keys)]).toEqual(['old-key:', 'new-key:'])
})

test('what a lane that was replaced ends lets the next of that user go at once', async () => {
  const held = new Map([
    ['ada-1', Promise.withResolvers<void>()],
    ['bob-1', Promise.withResolvers<void>()],
  ])
  let requests = 0
  await using loop = await startFileLoop(
    { tenants: { acme: { writeKey: 'old-key' } } },
    {
      async segment({ text }) {
        requests += 1
        for (const [id, { promise }] of held) if (text.includes(id)) await promise
        return null
      },
    },
  )
  await complete(loop, 'acme', 'ada', 'ada-1')
  await until(() => requests === 1)
  await complete(loop, 'acme', 'bob', 'bob-1')
  await until(() => requests === 2)
  loop.write({ tenants: { acme: { writeKey: 'new-key' } } })
  await loop.daemon.reload()
  await complete(loop, 'acme', 'ada', 'ada-2')
  held.get('ada-1')!.resolve()
  // Sooner than a lane looks by itself.
  await loop.segment.until(() => tracked(loop).includes('ada-2'), AbortSignal.timeout(3000))
  expect(tracked(loop)).toEqual(['ada-1', 'ada-2'])
  held.get('bob-1')!.resolve()
  await loop.segment.until(() => tracked(loop).includes('bob-1'), deadline())
})

test('a lane whose settings stay keeps its pause; a mended key is tried at once', async () => {
  let requests = 0
  await using loop = await startFileLoop(
    { tenants: { acme: { writeKey: 'wrong' } } },
    {
      segment({ headers }) {
        requests += 1
        const key = Buffer.from(headers.get('authorization')!.slice(6), 'base64').toString()
        return key === 'wrong:' ? new Response('', { status: 401 }) : null
      },
    },
  )
  const lane = () => health(loop).tenants['acme']!.destinations.segment
  await complete(loop, 'acme', 'ada', 'one')
  await until(() => lane().state === 'unauthorized' && lane().pending === 2)
  loop.write({ tenants: { acme: { writeKey: 'wrong' }, beta: {} } })
  await loop.daemon.reload()
  expect(lane().state).toBe('unauthorized')
  expect(requests).toBe(1)
  loop.write({ tenants: { acme: { writeKey: 'right' }, beta: {} } })
  await loop.daemon.reload()
  await loop.segment.until((messages) => messages.length === 2, deadline())
  await until(() => lane().pending === 0)
  expect(lane().state).toBe('ok')
})

test('other settings of the same account do not cut short what its destination asked for', async () => {
  let requests = 0
  await using loop = await startFileLoop(
    { tenants: { acme: {} } },
    {
      segment() {
        requests += 1
        return new Response('', { status: 429, headers: { 'retry-after': '600' } })
      },
    },
  )
  const lane = () => health(loop).tenants['acme']!.destinations.segment
  await complete(loop, 'acme', 'ada', 'one')
  await until(() => lane().state === 'throttled')
  writeFileSync(loop.file, readFileSync(loop.file, 'utf8').replace('timeout: 2s', 'timeout: 9s'))
  expect(await loop.daemon.reload()).toMatchObject({ ok: true })
  // Whatever it takes next would go out with what waits.
  await complete(loop, 'acme', 'grace', 'two')
  await until(() => lane().pending === 4)
  expect(lane().state).toBe('throttled')
  expect(requests).toBe(1)
})

test('what waits for a tenant that is gone is shown, and goes on when it is back', async () => {
  let down = true
  await using loop = await startFileLoop(
    { tenants: { acme: {}, beta: {} } },
    { segment: () => (down ? new Response('', { status: 503, headers: { 'retry-after': '60' } }) : null) },
  )
  await complete(loop, 'beta', 'ada', 'one')
  await until(() => health(loop).tenants['beta']!.destinations.segment.pending === 2)
  await until(() => health(loop).tenants['beta']!.destinations.segment.last_error !== null)
  loop.write({ tenants: { acme: {} } })
  await loop.daemon.reload()
  expect(health(loop)).toMatchObject({
    status: 'degraded',
    orphaned: { beta: { pending: 2, dead: 0 } },
    problems: ['beta is no longer in the configuration; 2 pending deliveries wait for it'],
  })
  down = false
  loop.write({ tenants: { acme: {}, beta: {} } })
  await loop.daemon.reload()
  await loop.segment.until((messages) => messages.length === 2, deadline())
  await until(() => health(loop).status === 'ok')
  expect(health(loop).orphaned).toEqual({})
})

test('a plugin is a part of it: a broken one is refused with its place, and a mended one is taken', async () => {
  const plugins = 'plugins: { tag: { path: ./tag.ts } }'
  const settings = { tenants: { acme: { plugins: ['tag'] } }, more: plugins }
  const code = (event: string) => `export default {
  name: 'tag',
  transform: (interaction, messages) =>
    messages.map((message) => (message.type === 'track' ? { ...message, event: '${event}' } : message)),
}`
  await using loop = await startFileLoop(settings, { files: { 'tag.ts': code('First') } })
  const events = () =>
    loop.segment.messages.map(({ message }) => message['event']).filter((event) => event !== undefined)
  await complete(loop, 'acme', 'ada', 'one')
  await loop.segment.until((messages) => messages.length === 2, deadline())
  const path = join(dirname(loop.file), 'tag.ts')
  writeFileSync(path, 'export default {\n  name: ')
  const refused = await loop.daemon.reload()
  expect(refused).toMatchObject({ ok: false, mistakes: [{ code: 'plugin_syntax', file: path, line: 2 }] })
  await complete(loop, 'acme', 'ada', 'two')
  await loop.segment.until((messages) => messages.length === 4, deadline())
  writeFileSync(path, code('Second'))
  expect((await loop.daemon.reload()).ok).toBe(true)
  await complete(loop, 'acme', 'ada', 'three')
  await loop.segment.until((messages) => messages.length === 6, deadline())
  expect(events()).toEqual(['First', 'First', 'Second'])
})

test('a fault inside the program while it reloads changes nothing, and stops the plugins that were loaded', async () => {
  const { log, lines } = keptLog()
  await using loop = await startLoop({ log })
  let stopped = 0
  const plugins = { call: () => new Promise<never>(() => {}), stop: () => void (stopped += 1) }
  const mapping = [interactionRule({ when: '"never checked" +' })]
  await expect(loop.reload({ tenants: { acme: { toSegment: { mapping } } }, plugins })).rejects.toThrow(
    'rules',
  )
  expect(stopped).toBe(1)
  expect(loop.daemon.health()).toMatchObject({
    status: 'degraded',
    configuration: { status: 'rejected', mistakes: 0 },
  })
  expect(lines.join()).toContain('nothing has changed')
  expect((await loop.reload({ tenants: { acme: {} } })).ok).toBe(true)
  expect(loop.daemon.health().status).toBe('ok')
})

test('reloads that come while one is under way are answered by one more', async () => {
  await using loop = await startLoop()
  const results = await Promise.all([1, 2, 3, 4].map(() => loop.reload({})))
  expect(results.every(({ ok }) => ok)).toBe(true)
  const metrics = await (await fetch(`${loop.daemon.url}/metrics`)).text()
  expect(metrics).toContain('refiner_sync_reloads_total{result="ok"} 2')
})

test('plugins are stopped once nothing calls them any more, and those of a reload that comes too late', async () => {
  const stopped: string[] = []
  const host = (name: string) => ({
    call: () => new Promise<never>(() => {}),
    stop: () => void stopped.push(name),
  })
  const { log, lines } = keptLog()
  {
    await using loop = await startLoop({ plugins: host('first'), log })
    await loop.reload({ plugins: host('second') })
    expect(stopped).toEqual(['first'])
    const late = loop.reload({ plugins: host('third') })
    const end = loop.daemon.stop()
    await expect(late).rejects.toThrow('stopping')
    await end
  }
  expect(stopped.toSorted()).toEqual(['first', 'second', 'third'])
  expect(lines.filter((line) => line.includes('"error"'))).toEqual([])
})

test('100 reloads under load, every second one of a broken file: nothing fails, is lost or is mapped twice', async () => {
  await using loop = await startFileLoop({ tenants: { acme: {}, beta: {} } })
  const acknowledged: string[] = []
  const enough = new AbortController()
  const sender = async (tenant: string, user: number) => {
    for (let n = 0; !enough.signal.aborted; n++) {
      const id = `${tenant}-${user}-${n}`
      const { status } = await complete(loop, tenant, `user-${user}`, id)
      expect(status).toBe(200)
      acknowledged.push(id)
    }
  }
  const senders = ['acme', 'beta'].flatMap((tenant) => [0, 1, 2].map((user) => sender(tenant, user)))
  for (let n = 0; n < 100; n++) {
    const key = `key-${Math.floor(n / 10)}`
    const more = n % 2 === 1 ? 'tenants: again\n' : ''
    loop.write({ tenants: { acme: { writeKey: key }, beta: {}, [`tenant-${n}`]: {} }, more })
    expect((await loop.daemon.reload()).ok).toBe(n % 2 === 0)
    await until(() => acknowledged.length > 3 * n)
  }
  enough.abort()
  await Promise.all(senders)
  await until(() => Object.values(health(loop).tenants).every(({ pending }) => pending === 0))
  const tracks = tracked(loop)
  expect(tracks.length).toBe(new Set(tracks).size)
  expect(new Set(tracks)).toEqual(new Set(acknowledged))
  const ids = loop.segment.messages.map(({ message }) => message.messageId)
  expect(ids.length).toBe(new Set(ids).size)
  expect(health(loop)).toMatchObject({ status: 'degraded', configuration: { status: 'rejected' } })
}, 20_000)

/** What the tracks say that Segment has got, in order. */
function tracked(loop: FileLoop): string[] {
  return loop.segment.messages
    .filter(({ message }) => message.type === 'track')
    .map(({ message }) => (message['properties'] as { id: string }).id)
}

test('no two readings go on at once, whoever asks at which moment', async () => {
  let going = 0
  let most = 0
  const load = async () => {
    most = Math.max(most, (going += 1))
    await new Promise((resolve) => setTimeout(resolve, 5))
    going -= 1
    return { ok: false, mistakes: [], warnings: [], files: [] } as const
  }
  const parts = { load, apply: () => [], onReload() {}, clock: handClock(), log: keptLog().log }
  const reloader = await Reloader.create(parts, { files: [], readAt: Infinity })
  const first = reloader.reload()
  const afterIt = first.then(() => reloader.reload())
  await Promise.all([first, afterIt, reloader.reload()])
  expect(most).toBe(1)
})

test('a rule that fails is told by health and metrics, until it is mended', async () => {
  const withRule = (expression: string) => ({
    tenants: { acme: { more: `mapping: [{ name: big, traits: { score: '${expression}' } }]` } },
  })
  await using loop = await startFileLoop(withRule('int(answers.why_did_you_cancel)'))
  const send = (uuid: string) =>
    postTo(loop.daemon.url, '/v1/refiner/acme', withResponse({ uuid }), bearer('acme-webhook-secret'))
  await send('one')
  await loop.segment.until((messages) => messages.length === 3, deadline())
  expect(loop.daemon.health()).toMatchObject({
    status: 'degraded',
    problems: [
      expect.stringMatching(/^acme: a rule failed within the last hour: rule big at .*traits\.score/),
    ],
  })
  expect(await (await fetch(`${loop.daemon.url}/metrics`)).text()).toContain(
    'refiner_sync_rule_failures_total{tenant="acme"} 1',
  )
  loop.write(withRule('int(answers.nps)'))
  await loop.daemon.reload()
  await send('two')
  await loop.segment.until((messages) => messages.length === 6, deadline())
  expect(loop.daemon.health()).toMatchObject({ status: 'ok', problems: [] })
})
