import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { loadConfiguration } from '../../src/config/load.ts'
import { BUILT_IN_PRESETS } from '../../src/config/presets.ts'
import { loadTestFiles } from '../../src/config/test-files.ts'
import { type Choices, DEFAULT_CHOICES, REGIONS, secretNames, WEBHOOK_WAYS } from '../../src/init/choices.ts'
import { makeFiles } from '../../src/init/make-files.ts'
import { TestRunner } from '../../src/testing/run-test.ts'
import { temporaryFolder } from '../config/temporary-folder.ts'
import { completedSurvey, withResponse } from '../fixtures/refiner-webhook.ts'
import { noPlugins } from '../support/mapping.ts'

/** Writes what is made, reads it as `check` does, and runs the tests. */
async function madeOf(choices: Choices, webhook: unknown = null) {
  using folder = temporaryFolder()
  const config = join(folder.path, 'refiner-sync.yaml')
  const made = await makeFiles(config, choices, webhook === null ? null : JSON.stringify(webhook))
  if (made.kind !== 'made') throw new Error(JSON.stringify(made))
  for (const { path, text } of [made.configuration, ...made.others]) {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
  }
  const names = Object.values(secretNames(choices.tenant))
  const environment = Object.fromEntries(names.map((name) => [name, `value-of-${name}`]))
  const loaded = loadConfiguration(config, environment)
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.mistakes))
  const { configuration, warnings } = loaded
  const { tests, mistakes } = loadTestFiles(config, null, environment, configuration)
  const runner = new TestRunner({ configuration, plugins: noPlugins }, () => 0)
  const results = []
  for (const one of tests) results.push(await runner.run(one))
  const texts = Object.fromEntries(
    made.others.map(({ path, text }) => [path.slice(folder.path.length + 1), text]),
  )
  return { yaml: made.configuration.text, texts, configuration, told: [...warnings, ...mistakes], results }
}

const tenantName = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_-]{0,20}$/)

test('every choice makes a configuration without mistakes and warnings', async () => {
  const choices: fc.Arbitrary<Choices> = fc.record({
    tenant: fc.oneof(tenantName, fc.constantFrom('true', 'null', '123', '1e5', 'no', 'constructor')),
    region: fc.constantFrom(...REGIONS),
    webhookIn: fc.constantFrom(...WEBHOOK_WAYS),
    traitPrefix: fc.oneof(fc.constant(null), fc.string({ maxLength: 12 })),
    preset: fc.constantFrom(null, ...BUILT_IN_PRESETS.keys()),
  })
  await fc.assert(
    fc.asyncProperty(choices, async (drawn) => {
      const { configuration, told } = await madeOf(drawn)
      expect(told).toEqual([])
      const { tenants } = configuration
      const { refiner, segment, toSegment } = tenants.get(drawn.tenant)!
      expect(refiner.webhook?.in).toBe(drawn.webhookIn)
      expect(segment.endpoint).toContain(drawn.region === 'eu' ? 'eu1' : 'api.segment.io')
      if (drawn.traitPrefix !== null) expect(toSegment.traitPrefix).toBe(drawn.traitPrefix)
    }),
    { numRuns: 60 },
  )
})

describe('of a recorded webhook', () => {
  const data = {
    nps_score: '9',
    seats: '12',
    renewal: '2026-03-01',
    phone: '0170123456',
    features: ['Dashboards', 'Exports'],
    why: 'It does what I need, and the people who answer are kind',
    plan: 'Pro',
    none: null,
  }
  const webhook = withResponse({ data })

  test('rules are proposed that fit the answers', async () => {
    const { configuration, yaml, told } = await madeOf(DEFAULT_CHOICES, webhook)
    expect(told).toEqual([])
    const { nps, mapping } = configuration.tenants.get('acme')!.toSegment
    expect(nps).toEqual(['nps_score'])
    expect(mapping).toMatchObject([
      {
        name: 'customer-churn-survey',
        when: 'survey.name == "Customer Churn Survey"',
        cast: [
          ['seats', 'number'],
          ['renewal', 'date'],
        ],
        drop: [],
      },
    ])
    expect(yaml).toContain('#     drop: [why]')
    expect(yaml).toContain('"features"')
  })

  test('what is suggested in comments works as it stands', async () => {
    const { yaml } = await madeOf(DEFAULT_CHOICES, webhook)
    const rule = /^ {6}# {3}- name[^]*?(?=\n\n)/m.exec(yaml)![0]
    const active = rule
      .replaceAll(/^ {6}# {3}/gm, '        ')
      .replaceAll('# traits', 'traits')
      .replaceAll('# prop', 'prop')
    using folder = temporaryFolder()
    const config = join(folder.path, 'refiner-sync.yaml')
    writeFileSync(config, yaml.replace(rule, active))
    const names = Object.values(secretNames('acme'))
    const loaded = loadConfiguration(
      config,
      Object.fromEntries(names.map((name) => [name, `value-of-${name}`])),
    )
    expect(loaded).toMatchObject({ ok: true })
    expect(loaded.ok && loaded.configuration.tenants.get('acme')!.toSegment.mapping[1]).toMatchObject({
      when: '"why" in answers',
      drop: ['why'],
      properties: { kind: 'fields', fields: [['why', 'hash(answers["why"])']] },
    })
  })

  test('a sample and a test are made, which passes', async () => {
    const { texts, results } = await madeOf(DEFAULT_CHOICES, webhook)
    expect(Object.keys(texts)).toEqual([
      'config/samples/customer-churn-survey.json',
      'config/tests/customer-churn-survey.yaml',
    ])
    expect(results).toMatchObject([
      { verdict: 'passed', name: 'completed: Customer Churn Survey', notes: [] },
    ])
    expect(Object.values(texts).join()).not.toMatch(/ada@|1042|It does what|0170|Acme Inc|Dashboards/)
  })

  test.each([...BUILT_IN_PRESETS.keys()])('its test passes with the preset %s', async (preset) => {
    const { results, told } = await madeOf({ ...DEFAULT_CHOICES, preset }, webhook)
    expect(told).toEqual([])
    expect(results).toMatchObject([{ verdict: 'passed' }])
  })

  test('an interaction that is not sent by default is given its event name', async () => {
    const { configuration, results } = await madeOf(
      DEFAULT_CHOICES,
      completedSurvey({ triggered_event: 'Saw Survey' }),
    )
    expect(configuration.tenants.get('acme')!.toSegment.events.seen).toBe('Saw Survey')
    expect(results).toMatchObject([
      { verdict: 'passed', outcome: ['message 1 to segment: track "Saw Survey"'] },
    ])
  })

  test('one of nobody makes a test that expects it to be skipped', async () => {
    const { texts, results } = await madeOf(DEFAULT_CHOICES, completedSurvey({ remote_id: null }))
    expect(Object.values(texts)[1]).toContain('expect_skip')
    expect(results).toMatchObject([{ verdict: 'passed' }])
  })

  test('whatever questions and answers it has, the configuration is right and the test passes', async () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 30 }),
      fc.constantFrom(
        "it's ${HERE}",
        '$${X}',
        '{{ x }}',
        '- a: b',
        'null',
        '1e5',
        '007',
        '{',
        '# no',
        ' x ',
        '\u0085',
      ),
    )
    const answer = fc.oneof(
      text,
      fc.integer().map(String),
      fc.array(text, { maxLength: 2 }),
      fc.integer(),
      fc.boolean(),
    )
    const survey = fc.record({ name: text, data: fc.dictionary(text, answer, { maxKeys: 5 }) })
    await fc.assert(
      fc.asyncProperty(survey, async ({ name, data }) => {
        const { results, told } = await madeOf(
          DEFAULT_CHOICES,
          withResponse({ data }, { form: { uuid: 'f', name } }),
        )
        expect(told).toEqual([])
        expect(results).toMatchObject([{ verdict: 'passed' }])
      }),
      { numRuns: 150 },
    )
  })
})

test.each(['{', '[]', '{"a":1}', '{"triggered_event":"Something Else"}'])(
  '%s is no webhook',
  async (text) => {
    expect(await makeFiles('refiner-sync.yaml', DEFAULT_CHOICES, text)).toMatchObject({
      kind: 'not_a_webhook',
    })
  },
)
