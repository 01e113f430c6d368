import { describe, expect, test } from 'bun:test'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { startRefinerStandIn } from '../../src/demo/refiner-stand-in.ts'
import { startSegmentStandIn } from '../../src/demo/segment-stand-in.ts'
import { completedSurvey } from '../fixtures/refiner-webhook.ts'
import { bearer, deadline, postTo } from '../support/loop.ts'
import { PROGRAM, run, workplace } from '../support/process.ts'
import { ACME, commandFolder } from './command.ts'

const RULES = `
    to_segment:
      mapping:
        - name: churn only
          when: survey.name == "Something Else"
          drop: [nps]
        - name: score
          event: NPS Submitted
          properties: { score: int(answers.nps) }
          drop: [why_did_you_cancel]
        - name: broken
          traits: { x: int(answers.not_there) }
        - name: more
          emit: { type: track, event: Extra }
          stop: true
          when: tenant == "acme"
        - name: last
          drop: [nps]
`

function project(yaml = ACME + RULES.slice(1)) {
  return commandFolder({ 'refiner-sync.yaml': yaml, 'survey.json': completedSurvey() })
}

describe('refiner-sync try', () => {
  test('leaves out and hashes what the daemon would, and so do tests', async () => {
    const privacy = `
    privacy: { traits: { deny: [why_did_you_cancel, ssn], hash: [email], salt: a-long-random-text } }
tests:
  - name: no word of why
    input: { file: survey.json }
    expect:
      - { type: identify, userId: user-1042 }
      - { type: track }
`
    using folder = commandFolder({
      'refiner-sync.yaml': ACME + privacy.slice(1),
      'survey.json': completedSurvey(),
      'identify.json': { type: 'identify', userId: 'ada', traits: { SSN: '078-05-1120', plan: 'pro' } },
    })
    const survey = await folder.run(['try', 'survey.json', '--json'])
    expect(survey.stdout).toContain('refiner_email')
    expect(survey.stdout).not.toMatch(/why_did_you_cancel|ada@example.com/)
    const identify = await folder.run(['try', 'identify.json', '--json'])
    expect(identify.stdout).toContain('plan')
    expect(identify.stdout).not.toContain('078-05-1120')
    const tested = await folder.run(['test', '--json'])
    expect(tested.stdout).not.toMatch(/why_did_you_cancel|ada@example.com/)
  })

  test('shows each rule, and what it did', async () => {
    using folder = project()
    const { code, stdout, stderr } = await folder.run(['try', 'survey.json'])
    expect(stderr).toBe('')
    expect(code).toBe(0)
    const told = [
      'completed, survey "Customer Churn Survey"',
      '  · churn only  refiner-sync.yaml:8:11  did not match: `survey.name == "Something Else"` is false',
      '  ✓ score  refiner-sync.yaml:11:11  applied',
      '        - event: "Completed Survey"',
      '        + event: "NPS Submitted"',
      '        - properties.why_did_you_cancel: "Pricing"',
      '        + properties.score: 9',
      '  ✗ broken  refiner-sync.yaml:15:11  failed: traits.x: there is no `answers.not_there`',
      '      + a new message, track, "Extra"',
      '  · last  refiner-sync.yaml:21:11  not reached: rule more stops',
      'What would be sent to Segment: 4 messages',
      '      "event": "NPS Submitted",',
      'note: rule broken',
    ]
    let from = 0
    for (const line of told) {
      const at = stdout.indexOf(line, from)
      expect([line, at >= from]).toEqual([line, true])
      from = at
    }
    expect(stdout).toMatch(/identify, \d+ bytes of the 32768 that Segment takes/)
  })

  test('--json tells the same to a program', async () => {
    using folder = project()
    const { stdout } = await folder.run(['try', 'survey.json', '--json'])
    const { ok, tenant, items, refused } = JSON.parse(stdout)
    expect({ ok, tenant, refused }).toEqual({ ok: true, tenant: 'acme', refused: [] })
    expect(items).toHaveLength(1)
    expect(items[0]).toMatchObject({
      source: 'refiner_webhook',
      start: [{}, {}, { event: 'Completed Survey' }],
    })
    expect(items[0].steps.map(({ name, result }: Record<string, string>) => [name, result])).toEqual([
      ['churn only', 'not_matched'],
      ['score', 'applied'],
      ['broken', 'failed'],
      ['more', 'applied'],
      ['last', 'not_reached'],
    ])
    expect(items[0].deliveries[2]).toMatchObject({ state: 'pending', message: { event: 'NPS Submitted' } })
  })

  test('takes messages of Segment on standard input, several at once', async () => {
    using folder = project()
    const stdin = '[{"type":"identify","userId":"u","traits":{"type":"admin"}},{"type":"page","userId":"u"}]'
    const { code, stdout } = await folder.run(['try', '-'], { stdin })
    expect(stdout).toContain('identify by POST /identify-user')
    expect(stdout).toContain('message 2 of the batch would be refused: page calls are not supported')
    expect(code).toBe(1)
  })

  test('fails for what is dead, and says why', async () => {
    using folder = project(ACME)
    const data = { long: 'x'.repeat(40_000) }
    const body = { ...completedSurvey(), response: { uuid: 'r', data } }
    const { code, stdout } = await folder.run(['try', '-'], { stdin: JSON.stringify(body) })
    expect(stdout).toContain('kept as dead, not sent: Segment takes 32 KB per message')
    expect(code).toBe(1)
  })

  test('does not fail for what is skipped', async () => {
    using folder = project(ACME)
    const stdin = JSON.stringify(completedSurvey({ remote_id: null }))
    const { code, stdout } = await folder.run(['try', '-'], { stdin })
    expect(stdout).toContain('What would be sent to Segment: nothing')
    expect(stdout).toContain('skipped: the contact has no user ID')
    expect(code).toBe(0)
  })

  test('shows no secret: not where it is part of a rule, nor of what came', async () => {
    using folder = project(`${ACME.replace('acme-write-key', "'${KEY}'")}    to_segment:
      mapping:
        - when: survey.name == "\${SALT}"
          drop: [nps]
`)
    const env = { KEY: 'write-"key"-1', SALT: 'salt-of-the-house' }
    const stdin = JSON.stringify(completedSurvey({ email: 'write-"key"-1@example.com' }))
    for (const args of [
      ['try', '-'],
      ['try', '-', '--json'],
    ]) {
      const { stdout, code } = await folder.run(args, { stdin, env })
      expect(code).toBe(0)
      expect(stdout).not.toMatch(/salt-of|write-/)
      expect(stdout).toContain('***@example.com')
    }
  })

  test('shows nothing that acts on the terminal', async () => {
    using folder = project(ACME)
    const stdin = JSON.stringify(
      completedSurvey({ email: '\u001b]0;x\u0007\u009b31m', form: { name: '\u001b[2J' } }),
    )
    const { stdout } = await folder.run(['try', '-'], { stdin })
    // oxlint-disable-next-line no-control-regex
    expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/)
  })

  test.each([
    [['try'], 2, 'name a file'],
    [['try', 'survey.json', '--delivery', '1'], 2, 'name a file'],
    [['try', '--delivery', 'x'], 2, 'deliveries list'],
    [['try', '--delivery', '1', '--tenant', 'acme'], 2, 'leave --tenant out'],
    [['try', 'survey.json', '--tenant', 'nobody'], 2, 'there is no tenant nobody: the tenants are acme'],
    [['try', 'nowhere.json'], 1, 'cannot read nowhere.json: no such file or folder'],
    [['try', 'refiner-sync.yaml'], 1, 'not valid JSON'],
    [['try', '--delivery', '1'], 1, 'there is no database'],
  ] as const)('%j exits with %i', async (args, code, said) => {
    using folder = project()
    const ran = await folder.run(args)
    expect(ran.stderr).toContain(said)
    expect(ran.code).toBe(code)
  })

  test('needs --tenant where there are several', async () => {
    using folder = project(`${ACME}${ACME.slice(ACME.indexOf('  acme')).replaceAll('acme', 'other')}`)
    const without = await folder.run(['try', 'survey.json'])
    expect(without.stderr).toContain('--tenant NAME: the tenants are acme, other')
    expect(without.code).toBe(2)
    expect(await folder.run(['try', 'survey.json', '--tenant', 'other'])).toMatchObject({ code: 0 })
  })
})

test('--delivery shows what a stored one was made of, with and without a daemon, and leaves no file behind', async () => {
  await using stops = new AsyncDisposableStack()
  const segment = startSegmentStandIn({ writeKeys: ['acme-write-key'] })
  const refiner = startRefinerStandIn({ apiKeys: 'any' })
  stops.defer(() => segment.stop())
  stops.defer(() => refiner.stop())
  using place = workplace({ segment: segment.url, refiner: refiner.url })
  const daemon = run(PROGRAM, [], place.folder)
  stops.defer(() => daemon.process.kill('SIGKILL'))
  await postTo(await daemon.url(), '/v1/refiner/acme', completedSurvey(), bearer('acme-webhook-secret'))
  await segment.until((messages) => messages.length === 3, deadline())
  const tried = async (id: string) => {
    const command = run(PROGRAM, ['try', '--delivery', id], place.folder)
    return { code: await command.process.exited, output: await command.whole() }
  }

  const beside = await tried('2')
  expect(beside.output).toContain('delivery 2 (group to segment, ')
  expect(beside.output).toContain('completed, survey "Customer Churn Survey"')
  expect(beside.code).toBe(0)
  expect(await tried('99')).toMatchObject({
    code: 1,
    output: expect.stringContaining('there is no delivery 99'),
  })

  daemon.process.kill('SIGTERM')
  expect(await daemon.process.exited).toBe(0)
  const files = readdirSync(join(place.folder, 'data')).sort()
  expect((await tried('2')).output).toContain('delivery 2 (group to segment, delivered)')
  expect(readdirSync(join(place.folder, 'data')).sort()).toEqual(files)
})
