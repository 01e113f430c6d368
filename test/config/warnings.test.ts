import { describe, expect, test } from 'bun:test'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readConfiguration } from '../../src/config/load.ts'
import type { MistakeCode } from '../../src/config/mistake.ts'
import { accepted, mistakesOf, read, REFINER, SEGMENT, tenantFile, unmarked } from './marked-file.ts'

const REFINER_AT = (endpoint: string) =>
  `refiner: { api_key: k, webhook: { secret: the-hook-of-acme }, endpoint: ¦"${endpoint}" }`

test.each<[what: string, file: string, code: MistakeCode]>([
  [
    'giving up before three days',
    tenantFile([REFINER, SEGMENT], ['delivery: { give_up_after: ¦71h }']),
    'short_give_up',
  ],
  ['keys sent unencrypted', tenantFile([SEGMENT, REFINER_AT('http://refiner.example')]), 'insecure_endpoint'],
  [
    'reached from outside unencrypted',
    tenantFile([REFINER, SEGMENT], ['server: { public_url: ¦"http://sync.example.com" }']),
    'insecure_endpoint',
  ],
  [
    'a plugin that no tenant uses',
    tenantFile([REFINER, SEGMENT], [`plugins: { ¦nps: { path: ${import.meta.path} } }`]),
    'no_effect',
  ],
  [
    'a plugin that is named twice',
    tenantFile(
      [REFINER, SEGMENT, 'to_segment: { plugins: [nps, ¦nps] }'],
      [`plugins: { nps: { path: ${import.meta.path} } }`],
    ),
    'duplicate_item',
  ],
  [
    'a limit of the sandbox for a plugin outside of it',
    tenantFile(
      [REFINER, SEGMENT, 'to_segment: { plugins: [nps] }'],
      [`plugins: { nps: { path: ${import.meta.path}, trusted: true, ¦memory: 1MB } }`],
    ),
    'no_effect',
  ],
  [
    'a permission of the sandbox for a plugin outside of it',
    tenantFile(
      [REFINER, SEGMENT, 'to_segment: { plugins: [nps] }'],
      [`plugins: { nps: { path: ${import.meta.path}, trusted: true, permissions: { ¦net: [a.example] } } }`],
    ),
    'no_effect',
  ],
  [
    'a rule that does nothing',
    tenantFile([REFINER, SEGMENT, 'to_segment: { mapping: [¦{ name: idle, drop: [] }] }']),
    'no_effect',
  ],
  [
    '`exact` of a test without `expect`',
    tenantFile(
      [REFINER, SEGMENT],
      ['tests: [{ name: x, input: { a: 1 }, expect_skip: true, ¦exact: true }]'],
    ),
    'no_effect',
  ],
  [
    'a short secret of a webhook',
    tenantFile([SEGMENT, 'refiner: { api_key: k, webhook: { secret: ¦fifteen-letters } }']),
    'weak_secret',
  ],
  [
    'a placeholder for a secret',
    tenantFile([REFINER, SEGMENT], ['server: { admin_token: ¦please-changeme-soon }']),
    'weak_secret',
  ],
  [
    'a secret of two tenants',
    `${tenantFile([REFINER, SEGMENT])}  beta:\n    refiner: { api_key: k, webhook: { secret: ¦the-hook-of-acme } }\n    segment: { write_key: k, region: eu, destination_keys: [the-inbound-key-of-beta] }\n`,
    'weak_secret',
  ],
  [
    'the admin token as a key of a tenant',
    tenantFile(
      [REFINER, SEGMENT.replace('the-inbound-key', '¦the-inbound-key')],
      ['server: { admin_token: the-inbound-key-of-acme }'],
    ),
    'weak_secret',
  ],
  [
    'no region',
    tenantFile([REFINER, '¦segment: { write_key: k, destination_keys: [the-inbound-key-of-acme] }']),
    'region_not_said',
  ],
])('%s is accepted with a warning in its place', (_, file, code) => {
  const { text, line, column } = unmarked(file)
  const { warnings } = accepted(text)
  expect(warnings.map((it) => [it.severity, it.code, it.line, it.column])).toEqual([
    ['warning', code, line, column],
  ])
})

const PRIVATE = ['http://localhost:1', 'http://127.0.0.1:1', 'http://[::1]:1', 'https://refiner.example']

const HARMLESS: readonly (readonly [what: string, file: string])[] = [
  ['three days', tenantFile([REFINER, SEGMENT], ['delivery: { give_up_after: 3d }'])],
  ['no mapping rules', tenantFile([REFINER, SEGMENT, 'to_segment: { mapping: [], plugins: [] }'])],
  [
    'no region where nothing goes to Segment',
    tenantFile([
      REFINER,
      'segment: { write_key: k, destination_keys: [the-inbound-key-of-acme] }',
      'to_segment: { enabled: false }',
    ]),
  ],
  [
    'short keys that Refiner and Segment made up',
    tenantFile([
      'refiner: { api_key: k, webhook: { secret: the-hook-of-acme } }',
      'segment: { write_key: k, region: eu, destination_keys: [the-inbound-key-of-acme] }',
    ]),
  ],
  [
    'a secret of two tenants that is an alias',
    `${tenantFile(['refiner: &refiner { api_key: k, webhook: { secret: the-hook-of-acme } }', SEGMENT])}  beta:\n    refiner: *refiner\n    segment: { write_key: k, region: eu, destination_keys: [the-inbound-key-of-beta] }\n`,
  ],
  ['retention', tenantFile([REFINER, SEGMENT], ['retention: { delivered: 30d, dead: 90d }'])],
]

test.each(PRIVATE)('the endpoint %s needs no warning', (endpoint) => {
  expect(accepted(unmarked(tenantFile([SEGMENT, REFINER_AT(endpoint)])).text).warnings).toEqual([])
})

test.each(HARMLESS)('%s needs no warning', (_, text) => {
  expect(accepted(text).warnings).toEqual([])
})

test('warnings are told beside the mistakes of a refused file, not among them', () => {
  const text = tenantFile([REFINER, SEGMENT, 'enabled: 1'], ['delivery: { give_up_after: 1h }'])
  expect(mistakesOf(text).map(({ code }) => code)).toEqual(['wrong_type'])
  expect(read(text).warnings.map(({ code }) => code)).toEqual(['short_give_up'])
})

test('nobody is told that dead deliveries could be sent again', () => {
  const { warnings } = accepted(tenantFile([REFINER, SEGMENT], ['delivery: { give_up_after: 1h }']))
  expect(warnings.map(({ hint }) => hint)).toEqual(['dead deliveries are kept, but never sent again'])
})

test('a pattern that fits no survey seen so far, while some are known', () => {
  const text = tenantFile([
    REFINER,
    SEGMENT,
    'to_segment: { surveys: { include: ["NPS *", "Onbaording", "*"], exclude: ["Internal *"] } }',
  ])
  const seen = ['NPS 2024', '0d9c2a4e-1111-4f6b-9d0a-5b1f1f0a0001', 'Onboarding']
  const warned = (seenSurveys: readonly string[]) => {
    const file = join(tmpdir(), 'no-such-folder', 'refiner-sync.yaml')
    const loaded = readConfiguration({ file, text, environment: {}, seenSurveys: () => seenSurveys })
    return loaded.warnings.map(({ code, column, hint }) => [code, column, hint])
  }
  expect(warned([])).toEqual([])
  expect(warned(seen)).toEqual([
    ['unseen_survey', 49, expect.stringContaining('Onboarding')],
    ['unseen_survey', 79, null],
  ])
})

describe('names in rules that would do nothing, or not what was meant', () => {
  const warned = (rule: string, settings = '') => {
    const text = tenantFile([REFINER, SEGMENT, `to_segment: { ${settings}mapping: [{ ${rule} }] }`])
    return accepted(text).warnings.map(({ code, hint }) => [code, hint])
  }

  test.each([
    ['drop: [refiner_nps]', '`nps` for the answer everywhere, or `traits.refiner_nps`'],
    ['rename: { refiner_nps: score }', '`traits.refiner_nps`'],
    ['drop: [email]', '`traits.refiner_email`'],
    ['drop: [traits.email]', '`traits.refiner_email`'],
    ['event: survey.name', '`{{ survey.name }}`'],
    ['event: "X {survey.name}"', '`{{ survey.name }}`'],
  ])('%s', (rule, hint) => {
    expect(warned(rule)).toEqual([['unlikely_name', expect.stringContaining(hint)]])
  })

  test.each([
    'drop: [nps]',
    'drop: [traits.refiner_email]',
    'event: "{{ survey.name }}"',
    'event: Survey. Name',
  ])('%s is none of them', (rule) => {
    expect(warned(rule)).toEqual([])
  })

  test('without a prefix there is none to mistake', () => {
    expect(warned('drop: [traits.email, refiner_nps]', 'trait_prefix: "", ')).toEqual([])
  })
})

test('a weak secret is not shown, and where it comes from is', () => {
  const text = tenantFile([SEGMENT, 'refiner: { api_key: k, webhook: { secret: "${HOOK}" } }'])
  const { warnings } = accepted(text, { HOOK: 'changeme' })
  expect(warnings).toMatchObject([{ code: 'weak_secret', hint: expect.stringContaining('${HOOK}') }])
  expect(JSON.stringify(warnings)).not.toContain('changeme')
})
