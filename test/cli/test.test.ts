import { describe, expect, test } from 'bun:test'
import { completedSurvey } from '../fixtures/refiner-webhook.ts'
import { ACME, commandFolder, onTerminal } from './command.ts'

const PASSING = `
  - name: a promoter
    input: { file: survey.json }
    expect: [{ type: track, event: Completed Survey, properties: { nps: '9' } }]
`
const FAILING = `
  - name: a detractor
    input: { file: ../../survey.json }
    expect: [{ type: track, event: Completed Survey, properties: { nps: 3 } }]
`

function project(tests: { inConfiguration?: string; inFolder?: string }) {
  return commandFolder({
    'survey.json': completedSurvey(),
    'refiner-sync.yaml': ACME + (tests.inConfiguration === undefined ? '' : `tests:${tests.inConfiguration}`),
    ...(tests.inFolder === undefined ? {} : { 'config/tests/nps.yaml': `tests:${tests.inFolder}` }),
  })
}

describe('refiner-sync test', () => {
  test('runs the tests of the configuration and of config/tests', async () => {
    using folder = project({ inConfiguration: PASSING, inFolder: FAILING })
    const { code, stdout } = await folder.run(['test'])
    expect(stdout.split('\n')).toEqual([
      '✓ a promoter  refiner-sync.yaml:7:5',
      '✗ a detractor  config/tests/nps.yaml:2:5',
      '    expected message 1 did not come: track "Completed Survey"; closest is message 3, track "Completed Survey"',
      '      - properties.nps: 3',
      '      + properties.nps: "9"',
      '    what came of the input:',
      '      message 1 to segment: identify',
      '      message 2 to segment: group',
      '      message 3 to segment: track "Completed Survey"',
      '',
      '1 passed, 1 failed',
      '',
    ])
    expect(code).toBe(1)
  })

  test.each([
    [{}, true],
    [{ NO_COLOR: '1' }, false],
  ] as const)('has colours on a terminal, with %j: %p', async (env, coloured) => {
    using folder = project({ inConfiguration: PASSING })
    using command = onTerminal(['test'], folder.path, env)
    expect(await command.ended).toBe(0)
    await command.shown('1 passed')
    expect(command.output().includes('\u001b[32m')).toBe(coloured)
  })

  test('exits with 0 when all pass', async () => {
    using folder = project({ inConfiguration: PASSING })
    expect(await folder.run(['test'])).toEqual({
      code: 0,
      stdout: '✓ a promoter  refiner-sync.yaml:7:5\n\n1 passed, 0 failed\n',
      stderr: '',
    })
  })

  test('runs the files that are named, and only those', async () => {
    using folder = project({ inConfiguration: FAILING.replace('../../', '') })
    folder.write('mine.yaml', `tests:${PASSING}`)
    expect(await folder.run(['test', 'mine.yaml'])).toMatchObject({ code: 0 })
  })

  test('--filter chooses by name', async () => {
    using folder = project({ inConfiguration: PASSING, inFolder: FAILING })
    expect(await folder.run(['test', '--filter', 'promoter'])).toMatchObject({ code: 0 })
    const none = await folder.run(['test', '--filter', 'nobody'])
    expect(none.code).toBe(1)
    expect(none.stdout).toContain('no test has "nobody" in its name; there are 2 others')
  })

  test('--json tells all, for a program', async () => {
    using folder = project({ inConfiguration: PASSING, inFolder: FAILING })
    const { code, stdout } = await folder.run(['test', '--json'])
    expect(code).toBe(1)
    expect(JSON.parse(stdout)).toMatchObject({
      ok: false,
      passed: 1,
      failed: 1,
      hint: null,
      tests: [
        { name: 'a promoter', verdict: 'passed', tenant: 'acme' },
        {
          name: 'a detractor',
          place: 'config/tests/nps.yaml:2:5',
          verdict: 'failed',
          failures: [{ differences: [{ path: 'properties.nps', expected: 3, got: '9' }] }],
        },
      ],
    })
  })

  test('--junit writes the results to a file, in a folder that it makes', async () => {
    using folder = project({ inConfiguration: PASSING, inFolder: FAILING })
    expect(await folder.run(['test', '--junit', 'build/results.xml'])).toMatchObject({ code: 1 })
    const xml = await folder.read('build/results.xml')
    expect(xml).toContain('<testsuites name="refiner-sync test" tests="2" failures="1" errors="0"')
  })

  test('--junit to a place that cannot be written fails', async () => {
    using folder = project({ inConfiguration: PASSING })
    const { code, stderr } = await folder.run(['test', '--junit', 'survey.json/results.xml'])
    expect(stderr).toStartWith('cannot write survey.json/results.xml: ')
    expect(code).toBe(1)
  })

  test('without a test it fails and says where to write one', async () => {
    using folder = project({})
    const { code, stdout } = await folder.run(['test'])
    expect(stdout).toContain('config/tests/*.yaml')
    expect(code).toBe(1)
  })

  test('mistakes of the configuration are told as `check` tells them', async () => {
    using folder = commandFolder({ 'refiner-sync.yaml': ACME.replace('write_key', 'writekey') })
    const { code, stdout } = await folder.run(['test'])
    expect(stdout).toBe((await folder.run(['check'])).stdout)
    expect(stdout).toContain('refiner-sync.yaml:5:16: error:')
    expect(code).toBe(1)
  })

  test('mistakes in a file of tests are told with their place', async () => {
    using folder = project({ inFolder: '\n  - name: x\n    input: { type: identify, userId: u }\n' })
    const { code, stdout } = await folder.run(['test'])
    expect(stdout).toContain('config/tests/nps.yaml:2:5: error:')
    expect(code).toBe(1)
    expect(JSON.parse((await folder.run(['test', '--json'])).stdout)).toMatchObject({
      ok: false,
      mistakes: [{ code: 'no_expectation' }],
    })
  })

  test('a file of tests that is not there is named', async () => {
    using folder = project({})
    const { code, stdout } = await folder.run(['test', 'nowhere.yaml'])
    expect(stdout).toContain('nowhere.yaml: no such file or folder')
    expect(code).toBe(1)
  })

  test('a secret that gets into a message is not shown', async () => {
    using folder = commandFolder({
      'refiner-sync.yaml': `${ACME}tests:
  - name: a leak
    input: { type: track, event: acme-write-key, userId: u }
    expect: [{ event: x }]
`,
    })
    const { stdout, stderr } = await folder.run(['test', '--junit', 'results.xml'])
    const xml = await folder.read('results.xml')
    for (const text of [stdout, stderr, xml]) expect(text).not.toContain('acme-write-key')
    expect(stdout).toContain('***')
  })

  test('an unknown option is a mistake of the command line', async () => {
    using folder = project({})
    expect(await folder.run(['test', '--nope'])).toMatchObject({ code: 2 })
  })
})
