import { describe, expect, test } from 'bun:test'
import { completedSurvey } from '../fixtures/refiner-webhook.ts'
import { commandFolder, onTerminal } from './command.ts'

const KEYS = {
  ACME_REFINER_API_KEY: 'api-key',
  ACME_REFINER_WEBHOOK_SECRET: 'webhook-secret-of-acme',
  ACME_SEGMENT_WRITE_KEY: 'write-key',
  ACME_DESTINATION_KEY: 'destination-key-of-acme',
}

describe('refiner-sync init', () => {
  test('writes a configuration that passes `check` once its variables are set', async () => {
    using folder = commandFolder()
    const { code, stdout, stderr } = await folder.run(['init', '--yes'])
    expect(stderr).toBe('')
    expect(code).toBe(0)
    for (const name of Object.keys(KEYS)) expect(stdout).toContain(`export ${name}='`)
    expect(stdout).toMatch(/export ACME_DESTINATION_KEY='[0-9a-f]{48}'/)
    expect(stdout).toContain('https://YOUR-HOST/v1/refiner/acme\n')
    expect(stdout).toContain('https://YOUR-HOST/v1/segment\n')
    const key = /ACME_DESTINATION_KEY='(\w+)'/.exec(stdout)![1]!
    expect(await folder.read('refiner-sync.yaml')).not.toContain(key)
    const check = await folder.run(['check'], { env: KEYS })
    expect(check.stdout).toStartWith('refiner-sync.yaml: ok, 0 warnings')
  })

  test('takes choices from the command line', async () => {
    using folder = commandFolder()
    const args = [
      '--tenant',
      'my-shop',
      '--region',
      'eu',
      '--webhook-in',
      'query',
      '--trait-prefix',
      '',
      '--preset',
    ]
    const { code, stdout } = await folder.run(['init', ...args, 'satismeter', '--config', 'etc/sync.yaml'])
    expect(code).toBe(0)
    expect(stdout).toContain('export MY_SHOP_REFINER_API_KEY=')
    expect(stdout).toContain('refiner-sync check --config etc/sync.yaml')
    expect(stdout).toMatch(/\/v1\/refiner\/my-shop\?secret=[0-9a-f]{48}\n/)
    const env = Object.fromEntries(
      Object.entries(KEYS).map(([name, key]) => [name.replace('ACME', 'MY_SHOP'), key]),
    )
    const check = await folder.run(['check', '--config', 'etc/sync.yaml'], { env })
    expect(check.stdout).toContain('my-shop: Segment https://events.eu1.segmentapis.com/v1')
  })

  test('asks nobody where nobody can answer, and says what to give', async () => {
    using folder = commandFolder()
    const { code, stderr } = await folder.run(['init'])
    expect(code).toBe(2)
    for (const flag of ['--tenant', '--region', '--webhook-in', '--trait-prefix', '--preset', '--yes']) {
      expect(stderr).toContain(flag)
    }
  })

  test('overwrites nothing without --force', async () => {
    using folder = commandFolder({ 'refiner-sync.yaml': 'mine' })
    const { code, stderr } = await folder.run(['init', '--yes'])
    expect(stderr).toContain('refiner-sync.yaml is there already: --force overwrites')
    expect(code).toBe(1)
    expect(await folder.read('refiner-sync.yaml')).toBe('mine')
    expect(await folder.run(['init', '--yes', '--force'])).toMatchObject({ code: 0 })
    expect(await folder.read('refiner-sync.yaml')).toContain('tenants:')
  })

  test('--print writes nothing', async () => {
    using folder = commandFolder({ 'refiner-sync.yaml': 'mine' })
    const { code, stdout } = await folder.run(['init', '--yes', '--print'])
    expect(code).toBe(0)
    expect(stdout).toContain("api_key: '${ACME_REFINER_API_KEY}'")
    expect(await folder.read('refiner-sync.yaml')).toBe('mine')
  })

  test('--json tells a program what was written and what is to be set', async () => {
    using folder = commandFolder()
    const { stdout } = await folder.run(['init', '--yes', '--json'])
    expect(JSON.parse(stdout)).toMatchObject({
      ok: true,
      written: ['refiner-sync.yaml'],
      variables: Object.keys(KEYS).map((name) => ({ name })),
      urls: { refiner_webhook: 'https://YOUR-HOST/v1/refiner/acme' },
    })
  })

  test.each([
    [['--tenant', 'my shop'], 2, '--tenant: a name has letters'],
    [['--yes', '--region', 'asia'], 2, 'Allowed choices are us, eu'],
    [['--yes', '--preset', 'delightd'], 1, 'did you mean `delighted`?'],
    [['--yes', '--from-webhook', 'nowhere.json'], 1, 'cannot read nowhere.json'],
    [['--yes', '--from-webhook', 'other.json'], 1, 'other.json: this is no webhook of Refiner'],
  ] as const)('%j exits with %i and writes nothing', async (args, code, said) => {
    using folder = commandFolder({ 'other.json': { type: 'identify' } })
    const ran = await folder.run(['init', ...args])
    expect(ran.stderr).toContain(said)
    expect(ran.code).toBe(code)
    expect(await Array.fromAsync(new Bun.Glob('**/*').scan(folder.path))).toEqual(['other.json'])
  })
})

describe('refiner-sync init --from-webhook', () => {
  test('writes a sample of nobody and a test that passes', async () => {
    using folder = commandFolder({ 'webhook.json': completedSurvey() })
    expect(await folder.run(['init', '--yes', '--from-webhook', 'webhook.json'])).toMatchObject({ code: 0 })
    const sample = await folder.read('config/samples/customer-churn-survey.json')
    expect(sample).not.toMatch(/ada|1042|Acme|Pricing|account-7/i)
    const ran = await folder.run(['test'], { env: KEYS })
    expect(ran.stdout).toContain(
      '✓ completed: Customer Churn Survey  config/tests/customer-churn-survey.yaml:3:5',
    )
    expect(ran).toMatchObject({ code: 0, stderr: '' })
  })

  test('takes the webhook from standard input', async () => {
    using folder = commandFolder()
    const args = ['init', '--from-webhook', '-', '--tenant', 'acme', '--print', '--json']
    const { stdout, code } = await folder.run(args, { stdin: JSON.stringify(completedSurvey()) })
    expect(code).toBe(0)
    expect(JSON.parse(stdout).files.map(({ path }: { path: string }) => path)).toEqual([
      'refiner-sync.yaml',
      'config/samples/customer-churn-survey.json',
      'config/tests/customer-churn-survey.yaml',
    ])
  })

  test('overwrites no sample either, and then writes nothing at all', async () => {
    using folder = commandFolder({
      'webhook.json': completedSurvey(),
      'config/samples/customer-churn-survey.json': 'mine',
    })
    const { code, stderr } = await folder.run(['init', '--yes', '--from-webhook', 'webhook.json'])
    expect(stderr).toContain('config/samples/customer-churn-survey.json is there already')
    expect(code).toBe(1)
    expect(await folder.read('config/samples/customer-churn-survey.json')).toBe('mine')
    expect(await Bun.file(`${folder.path}/refiner-sync.yaml`).exists()).toBe(false)
  })
})

test('init that cannot write a file leaves none of the others behind', async () => {
  // A file where the folder of samples should be.
  using folder = commandFolder({ 'webhook.json': completedSurvey(), 'config/samples': 'mine' })
  const { code, stderr } = await folder.run(['init', '--yes', '--from-webhook', 'webhook.json'])
  expect(stderr).toStartWith('cannot write config/samples/customer-churn-survey.json: ')
  expect(stderr).not.toMatch(/E[A-Z]{4}/)
  expect(code).toBe(1)
  expect(await Bun.file(`${folder.path}/refiner-sync.yaml`).exists()).toBe(false)
  expect(await folder.read('config/samples')).toBe('mine')
})

describe('refiner-sync init on a terminal', () => {
  test('asks, again where an answer is none, and writes what was answered', async () => {
    using folder = commandFolder()
    using command = onTerminal(['init', '--region', 'eu'], folder.path)
    await command.shown('[acme]: ')
    command.type('my shop\n')
    await command.shown('a name has letters')
    await command.shown('[acme]: ')
    command.type('shop\n')
    await command.shown('[bearer]: ')
    command.type('hmac\n')
    await command.shown('[none]: ')
    command.type('\n')
    await command.shown('[refiner_]: ')
    command.type('none\n')
    await command.shown('wrote refiner-sync.yaml')
    expect(await command.ended).toBe(0)
    const yaml = await folder.read('refiner-sync.yaml')
    for (const line of ['  shop:', '        in: hmac\n', '      region: eu ', "      trait_prefix: '' "]) {
      expect(yaml).toContain(`\n${line}`)
    }
  })

  test.each([
    ['Ctrl-C', '\u0003'],
    ['Ctrl-D', '\u0004'],
  ])('%s ends it, and nothing is written', async (_, key) => {
    using folder = commandFolder()
    using command = onTerminal(['init'], folder.path)
    await command.shown('[acme]: ')
    command.type(key)
    await command.shown('nothing is written')
    expect(await command.ended).toBe(1)
    expect(await Bun.file(`${folder.path}/refiner-sync.yaml`).exists()).toBe(false)
  })
})
