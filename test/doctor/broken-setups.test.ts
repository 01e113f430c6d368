import { Database } from 'bun:sqlite'
import { expect, test } from 'bun:test'
import { renameSync } from 'node:fs'
import { runProgram } from '../../src/cli/program.ts'
import type { PluginHost } from '../../src/contracts/plugin-host.ts'
import type { Respond } from '../../src/demo/scripted-server.ts'
import type { NamedFinding } from '../../src/doctor/diagnose.ts'
import { completedSurvey, withResponse } from '../fixtures/refiner-webhook.ts'
import { basic, bearer, type Loop, type LoopOptions, startLoop, until } from '../support/loop.ts'
import { pluginStub } from '../support/plugin-stub.ts'
import { fields, interactionRule } from '../support/rules.ts'

const adminToken = 'the-admin-token'

/** The command, as a person runs it. */
async function doctor({ daemon }: Loop, ...args: string[]) {
  const out: string[] = []
  const errors: string[] = []
  const code = await runProgram(['doctor', ...args, '--url', daemon.url], {
    environment: { REFINER_SYNC_ADMIN_TOKEN: adminToken },
    print: (line) => void out.push(line),
    printError: (line) => void errors.push(line),
    terminal: false,
    stopped: new Promise(() => {}),
    onHangup() {},
  })
  return { code, out: out.join('\n'), errors: errors.join('\n') }
}

const SECRET = bearer('acme-webhook-secret')
const KEY = basic('acme-destination-key')

/** So many responses, each of a user of its own. */
async function webhooks(
  loop: Loop,
  times: number,
  outer: (n: number) => object = () => ({}),
  headers = SECRET,
) {
  for (let n = 0; n < times; n++) {
    const body = withResponse({ uuid: `response-${n}` }, { uuid: `contact-${n}`, account: null, ...outer(n) })
    await loop.post('/v1/refiner/acme', body, headers)
  }
}

/** So many messages of Segment, each of a user of its own. */
async function identifies(
  loop: Loop,
  times: number,
  userId: (n: number) => string = (n) => `user-${1042 + n}`,
) {
  for (let n = 0; n < times; n++) {
    await loop.post('/v1/segment', { type: 'identify', userId: userId(n), messageId: `identify-${n}` }, KEY)
  }
}

/** A webhook and a message, of the same user. */
async function both(loop: Loop): Promise<void> {
  await loop.post('/v1/refiner/acme', completedSurvey(), SECRET)
  await identifies(loop, 1)
}

const lane = ({ daemon }: Loop, to: 'segment' | 'refiner') =>
  daemon.health().tenants['acme']!.destinations[to]
const settled = (loop: Loop) => until(() => loop.daemon.health().tenants['acme']!.pending === 0)
const failed = (to: 'segment' | 'refiner') => (loop: Loop) => until(() => lane(loop, to).last_error !== null)
const always =
  (status: number): Respond =>
  () =>
    Response.json({ message: 'no' }, { status })
const acme = (settings: NonNullable<LoopOptions['tenants']>[string]) => ({ tenants: { acme: settings } })
const failing: PluginHost = pluginStub({ kind: 'failed', reason: 'TypeError at nps.ts:3:1', detail: null })

interface BrokenSetup {
  readonly options?: LoopOptions
  readonly use: (loop: Loop) => Promise<unknown>
  /** What is waited for, before somebody asks what is wrong. */
  readonly wait?: (loop: Loop) => Promise<unknown>
  readonly cause: string
  readonly said: string
}

const BROKEN: Readonly<Record<string, BrokenSetup>> = {
  'the secret comes in another header': {
    use: async (loop) => {
      await identifies(loop, 1)
      await webhooks(loop, 1, () => ({}), { 'x-webhook-token': 'acme-webhook-secret' })
    },
    cause: 'webhook_refused',
    said: '{ in: header, name: x-webhook-token }',
  },
  'the secret is another one': {
    use: async (loop) => {
      await both(loop)
      await webhooks(loop, 2, () => ({}), bearer('another-secret'))
    },
    cause: 'webhook_refused',
    said: 'it is another secret',
  },
  'no webhook ever came': {
    use: (loop) => identifies(loop, 1),
    cause: 'webhook_never',
    said: '/v1/refiner/acme',
  },
  'webhooks come under a name that no tenant has': {
    use: async (loop) => {
      await identifies(loop, 1)
      await loop.post('/v1/refiner/acmee', completedSurvey(), SECRET)
    },
    cause: 'webhook_never',
    said: 'a name that no tenant has',
  },
  'Segment refuses the write key': {
    options: { segment: always(401) },
    use: both,
    wait: failed('segment'),
    cause: 'key_refused',
    said: 'tenants.acme.segment.write_key',
  },
  'Refiner refuses the key': {
    options: { refiner: always(403) },
    use: both,
    wait: failed('refiner'),
    cause: 'key_refused',
    said: 'tenants.acme.refiner.api_key',
  },
  'nothing listens where Segment should be': {
    options: acme({ segment: { endpoint: 'http://127.0.0.1:9/v1' } }),
    use: both,
    wait: failed('segment'),
    cause: 'destination_unreachable',
    said: 'nothing listens there',
  },
  "the endpoint is not Segment's": {
    options: { segment: always(404) },
    use: both,
    wait: failed('segment'),
    cause: 'destination_unreachable',
    said: 'set segment.region',
  },
  'Refiner refuses one message after the other': {
    options: { refiner: always(422) },
    use: async (loop) => {
      await both(loop)
      await identifies(loop, 6)
    },
    wait: (loop) => until(() => lane(loop, 'refiner').dead === 6),
    cause: 'dead_deliveries',
    said: 'deliveries replay --state dead --tenant acme --destination refiner --error',
  },
  'the clocks are apart': {
    options: {
      segment: () => Response.json({ success: true }, { headers: { date: 'Wed, 01 Jan 2025 00:00:00 GMT' } }),
    },
    use: both,
    wait: settled,
    cause: 'clocks_apart',
    said: "ahead of Segment's",
  },
  'contacts have no user ID': {
    use: async (loop) => {
      await identifies(loop, 1)
      await webhooks(loop, 6, () => ({ remote_id: null }))
    },
    wait: settled,
    cause: 'all_anonymous',
    said: 'to_segment.anonymous',
  },
  'a rule fails for every response': {
    options: acme({
      toSegment: { mapping: [interactionRule({ name: 'role', traits: fields({ role: 'answers.role' }) })] },
    }),
    use: async (loop) => {
      await both(loop)
      await webhooks(loop, 5)
    },
    wait: settled,
    cause: 'always_fails',
    said: 'role',
  },
  'a plugin fails for every response': {
    options: { ...acme({ toSegment: { plugins: ['nps'] } }), plugins: failing },
    use: async (loop) => {
      await both(loop)
      await webhooks(loop, 5)
    },
    wait: settled,
    cause: 'always_fails',
    said: 'plugin nps: TypeError at nps.ts:3:1',
  },
  'a filter leaves out every survey': {
    options: acme({ toSegment: { surveys: { include: ['customer churn*'], exclude: [] } } }),
    use: async (loop) => {
      await both(loop)
      await webhooks(loop, 5)
    },
    wait: settled,
    cause: 'everything_left_out',
    said: 'customer churn*',
  },
  'a direction is switched off that is used': {
    options: acme({ toSegment: { enabled: false } }),
    use: both,
    cause: 'everything_left_out',
    said: 'tenants.acme.to_segment.enabled is false',
  },
  'Segment never called': {
    use: (loop) => webhooks(loop, 1),
    cause: 'destination_unused',
    said: 'does not use its destination key',
  },
  'Segment has another key': {
    use: async (loop) => {
      await webhooks(loop, 1)
      await loop.post('/v1/segment', { type: 'identify', userId: 'user-1042' }, basic('another-key'))
    },
    cause: 'destination_unused',
    said: 'segment.destination_keys',
  },
  'Segment sends pages only': {
    use: async (loop) => {
      await webhooks(loop, 1)
      await loop.post('/v1/segment', { type: 'page', userId: 'user-1042', messageId: 'a' }, KEY)
    },
    cause: 'destination_unused',
    said: 'to_refiner.pages',
  },
  'the two sides name people differently': {
    use: async (loop) => {
      await webhooks(loop, 25, (n) => ({ remote_id: `ada${n}@example.com` }))
      await identifies(loop, 25, (n) => `${10_000_000 + n}`)
    },
    wait: settled,
    cause: 'user_ids_differ',
    said: 'email-like × 25    digits(8) × 25',
  },
  'more waits than may': {
    options: {
      segment: always(503),
      maxPending: 5,
      delivery: { minBackoffMs: 60_000, maxBackoffMs: 60_000 },
    },
    use: async (loop) => {
      await both(loop)
      await webhooks(loop, 5)
    },
    wait: (loop) =>
      until(() => loop.daemon.health().problems.some((problem) => problem.includes('is answered 503 ('))),
    cause: 'nothing_taken',
    said: 'server.max_pending',
  },
  'the file of the database is gone': {
    use: async (loop) => {
      await both(loop)
      await settled(loop)
      const { path } = loop.configuration.database
      renameSync(path, `${path}.away`)
    },
    cause: 'nothing_taken',
    said: 'the database does not work',
  },
}

/** What was sent, and every key: none of it may be told. */
const PRIVATE =
  /user-1042|ada\d*@|10000000|contact-\d|Ada Example|Pricing|acme-(webhook|write|destination|refiner|shared)|another-(secret|key)|the-admin-token|acmee/

test.each(Object.entries(BROKEN))('%s', async (_, { options, use, wait, cause, said }) => {
  await using loop = await startLoop({ ...options, adminToken })
  await use(loop)
  await wait?.(loop)
  const told = await doctor(loop, '--json')
  expect(told.code).toBe(1)
  const { findings } = JSON.parse(told.out) as { findings: NamedFinding[] }
  expect(findings[0]?.cause).toBe(cause)
  const inWords = await doctor(loop)
  expect([inWords.code, inWords.errors]).toEqual([1, ''])
  expect(inWords.out).toContain(said)
  for (const { out } of [told, inWords]) expect(out).not.toMatch(PRIVATE)
})

/** As if polling had found these responses, and the last webhook had come a week ago. */
function foundByPolling(loop: Loop): void {
  const sqlite = new Database(loop.configuration.database.path)
  sqlite.run(`update inbox set origin = 'poll' where source = 'refiner_webhook' and id > 1`)
  sqlite.run('update inbox set received_at = received_at - ? where id = 1', [7 * 86_400_000])
  sqlite.close()
}

test('no webhook came for days, while polling finds responses', async () => {
  await using loop = await startLoop({ adminToken })
  await webhooks(loop, 6)
  await identifies(loop, 1)
  await settled(loop)
  foundByPolling(loop)
  // What was taken since the start is remembered.
  await loop.restart()
  const { code, out } = await doctor(loop)
  expect(code).toBe(1)
  expect(out).toStartWith('1. acme: no webhook of Refiner came for 7 days, while polling finds responses')
  expect(out).toContain('polling found 5 responses')
  expect(out).not.toMatch(PRIVATE)
})

test('nothing is found where all is well, and it says what was looked at', async () => {
  await using loop = await startLoop({ adminToken })
  await both(loop)
  await settled(loop)
  const { code, out } = await doctor(loop)
  expect([code, out.split('\n')[0]]).toEqual([0, 'nothing found'])
  expect(out).toContain('looked at whether Segment and Refiner take the keys')
  expect(JSON.parse((await doctor(loop, '--json')).out)).toMatchObject({ ok: true, findings: [] })
  expect(out).not.toMatch(PRIVATE)
})

test('it says so when there is no daemon, another token, or none', async () => {
  await using loop = await startLoop({ adminToken })
  const run = async (environment: Record<string, string>, url: string) => {
    const errors: string[] = []
    const printError = (line: string) => void errors.push(line)
    const io = { environment, print() {}, printError, terminal: false, stopped: new Promise<void>(() => {}) }
    const code = await runProgram(['doctor', '--url', url], { ...io, onHangup() {} })
    return `${code} ${errors.join('')}`
  }
  const token = (value: string) => ({ REFINER_SYNC_ADMIN_TOKEN: value })
  expect(await run(token(adminToken), 'http://127.0.0.1:9')).toMatch(/^1 no daemon answers at/)
  expect(await run(token('another'), loop.daemon.url)).toMatch(/^1 the daemon .* takes another admin token/)
  expect(await run({}, loop.daemon.url)).toMatch(/^1 no admin token/)
})
