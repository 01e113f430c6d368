import { describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import type { JsonObject } from '../../src/contracts/json.ts'
import type { MappingTest } from '../../src/contracts/mapping-test.ts'
import { TestRunner } from '../../src/testing/run-test.ts'
import { completedSurvey } from '../fixtures/refiner-webhook.ts'
import { testConfiguration, testTenant, type TenantSettings } from '../support/configuration.ts'
import { noPlugins } from '../support/mapping.ts'

const webhook = completedSurvey() as JsonObject
const identify = { Type: 'IDENTIFY', user_id: 'u', traits: { plan: 'pro' } }

/** What a test comes to with tenants of these settings. */
function judged(
  over: Partial<MappingTest> & { body?: JsonObject },
  tenants: Record<string, TenantSettings> = { acme: {} },
) {
  const { body = webhook, ...rest } = over
  const made = Object.entries(tenants).map(([name, settings]) => testTenant(name, settings))
  const runner = new TestRunner(
    { configuration: testConfiguration('/nowhere', made), plugins: noPlugins },
    () => 0,
  )
  return runner.run({
    name: 'a test',
    place: 'refiner-sync.yaml:1:1',
    tenant: null,
    input: { kind: 'inline', body },
    expect: null,
    exact: false,
    expectSkip: null,
    expectError: null,
    ...rest,
  })
}

describe('a webhook of Refiner', () => {
  test('is mapped to Segment', async () => {
    const expect_ = [
      { type: 'identify', userId: 'user-1042', traits: { refiner_nps: '9' } },
      { type: 'track' },
    ]
    expect(await judged({ expect: expect_ })).toMatchObject({
      verdict: 'passed',
      outcome: [
        'message 1 to segment: identify',
        'message 2 to segment: group',
        'message 3 to segment: track "Completed Survey"',
      ],
    })
  })

  test('gives the same messages in every run', async () => {
    const body = { ...webhook, triggered_event: 'Tag added' }
    const events = {
      completed: null,
      seen: null,
      dismissed: null,
      segment_entered: null,
      tag_added: 'Tagged',
    }
    const tenants = { acme: { toSegment: { events } } }
    const timestamp = '2025-01-01T00:00:00.000Z'
    const same = { body, expect: [{ type: 'track', timestamp }] }
    expect(await judged(same, tenants)).toMatchObject({ verdict: 'passed' })
  })

  test('is refused where production would refuse it', async () => {
    const result = await judged({ expect: [{ type: 'track' }] }, { acme: { toSegment: { enabled: false } } })
    expect(result.verdict).toBe('failed')
    expect(result.failures[0]!.message).toContain('to_segment.enabled: false')
  })

  test('that is dead in part fails a test of the rest', async () => {
    const long = {
      ...webhook,
      response: { ...(webhook['response'] as object), data: { a: 'x'.repeat(40_000) } },
    }
    const result = await judged({ body: long, expect: [{ type: 'group' }] })
    expect(result.verdict).toBe('failed')
    expect(result.failures[0]!.message).toContain('32 KB')
  })
})

describe('a message of Segment', () => {
  test('is read as intake reads it, and mapped to Refiner', async () => {
    const expected = { call: 'identify', id: 'u', plan: 'pro' }
    expect(await judged({ body: identify, expect: [expected], exact: true })).toMatchObject({
      verdict: 'passed',
      outcome: ['message 1 to refiner: identify'],
    })
  })

  test('may come in a batch, as several', async () => {
    const body = { batch: [identify, { type: 'track', event: 'E', userId: 'u' }] }
    const expected = [{ type: 'identify' }, { type: 'track', event: 'E', id: 'u' }]
    expect(await judged({ body, expect: expected, exact: false })).toMatchObject({ verdict: 'passed' })
  })

  test('that is not supported can be expected', async () => {
    const page = { type: 'page', userId: 'u' }
    expect(await judged({ body: page, expectError: 'not supported' })).toMatchObject({ verdict: 'passed' })
    expect(await judged({ body: page, expect: [] })).toMatchObject({ verdict: 'failed' })
  })
})

describe('what is skipped', () => {
  const body = { ...webhook, remote_id: null }

  test.each([
    ['', 'passed'],
    ['no user ID', 'passed'],
    ['something else', 'failed'],
  ])('for a reason that holds %j: %s', async (part, verdict) => {
    expect(await judged({ body, expectSkip: part })).toMatchObject({ verdict })
  })

  test('is not what comes through, nor what is refused', async () => {
    expect(await judged({ expectSkip: '' })).toMatchObject({ verdict: 'failed' })
    expect(await judged({ body: { a: 1 }, expectSkip: '' })).toMatchObject({ verdict: 'failed' })
  })

  test('is of all that came, not of a part', async () => {
    const batch = { batch: [identify, { type: 'track', userId: 'u', event: 'Debug' }] }
    const settings: TenantSettings = { toRefiner: { events: { include: ['*'], exclude: ['Debug'] } } }
    const half = await judged({ body: batch, expectSkip: '' }, { acme: settings })
    expect(half).toMatchObject({ verdict: 'failed', failures: [{ message: 'it was not skipped' }] })
    const whole = await judged({ body: { batch: [batch.batch[1]!] }, expectSkip: '' }, { acme: settings })
    expect(whole).toMatchObject({ verdict: 'passed' })
  })

  test('sends no message', async () => {
    expect(await judged({ body, expect: [] })).toMatchObject({ verdict: 'passed' })
    expect(await judged({ body, expect: [{ type: 'track' }] })).toMatchObject({
      verdict: 'failed',
      outcome: [expect.stringContaining('skipped: ')],
    })
  })
})

test('what the daemon would refuse is refused', async () => {
  const body = { ...webhook, long: 'x'.repeat(1024 * 1024) }
  expect(await judged({ body, expectError: 'larger than' })).toMatchObject({ verdict: 'passed' })
  const off = { acme: { enabled: false } }
  expect(await judged({ expectError: 'switched off' }, off)).toMatchObject({ verdict: 'passed' })
  expect(await judged({ expect: [] }, off)).toMatchObject({ verdict: 'failed' })
})

describe('a test that cannot be run', () => {
  test('for its tenant', async () => {
    expect(await judged({ tenant: 'nobody' })).toMatchObject({
      verdict: 'error',
      failures: [{ message: 'there is no tenant `nobody`; the tenants are acme' }],
    })
    expect(await judged({}, { one: {}, two: {} })).toMatchObject({ verdict: 'error' })
  })

  test('for its input', async () => {
    const input = { kind: 'file', path: join(import.meta.dir, 'nowhere.json') } as const
    const { verdict, failures } = await judged({ input })
    expect(verdict).toBe('error')
    expect(failures[0]!.message).toEndWith('no such file or folder')
  })
})
