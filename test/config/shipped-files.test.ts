import { describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { jsonSchema } from '../../src/config/json-schema.ts'
import { loadConfiguration } from '../../src/config/load.ts'

const ROOT = join(import.meta.dir, '..', '..')

const SECRETS = {
  ACME_REFINER_API_KEY: 'api',
  ACME_REFINER_WEBHOOK_SECRET: 'webhook-secret-of-acme',
  ACME_SEGMENT_WRITE_KEY: 'write',
  ACME_DESTINATION_KEY: 'destination-key-of-acme',
}

describe('the refiner-sync.yaml of the repository', () => {
  test('works as it is once its variables are set, without a warning', () => {
    const loaded = loadConfiguration(join(ROOT, 'refiner-sync.yaml'), SECRETS)
    expect(loaded).toMatchObject({ ok: true, warnings: [] })
    expect(loaded.ok && loaded.configuration.tenants.get('acme')?.segment.destinationKeys).toEqual([
      'destination-key-of-acme',
    ])
  })

  test('names every variable that is not set', () => {
    const loaded = loadConfiguration(join(ROOT, 'refiner-sync.yaml'), {})
    const messages = loaded.ok ? [] : loaded.mistakes.map(({ message }) => message)
    expect(messages).toEqual(
      Object.keys(SECRETS).map((name) => `environment variable \`${name}\` is not set`),
    )
  })

  test('tells editors where its schema is', async () => {
    const text = await Bun.file(join(ROOT, 'refiner-sync.yaml')).text()
    expect(text).toStartWith('# yaml-language-server: $schema=./config/refiner-sync.schema.json\n')
  })
})

describe('config/refiner-sync.schema.json', () => {
  test('is what the schema of the loader says', async () => {
    const file = await Bun.file(join(ROOT, 'config', 'refiner-sync.schema.json')).json()
    expect(file).toEqual(jsonSchema())
  })

  test('is found current by `bun run check:schema`', () => {
    const check = Bun.spawnSync([process.execPath, 'src/config/write-json-schema.ts', '--check'], {
      cwd: ROOT,
    })
    expect(check.stderr.toString()).toBe('')
    expect(check.exitCode).toBe(0)
  })

  test('lets an editor accept `${…}` where a number, a choice or a duration stands', () => {
    const { properties } = jsonSchema() as {
      properties: Record<string, { properties: Record<string, object> }>
    }
    const reference = { type: 'string', pattern: '\\$\\{' }
    expect(properties['server']?.properties['port']).toHaveProperty('anyOf', [
      { type: 'integer', minimum: 0, maximum: 65535 },
      reference,
    ])
    const { pattern } = properties['delivery']!.properties['timeout'] as { pattern: string }
    expect(['10s', '${TIMEOUT}', '10', 'x'].map((text) => new RegExp(pattern).test(text))).toEqual([
      true,
      true,
      false,
      false,
    ])
  })
})

test('the sample of a completed survey is a webhook body of Refiner', async () => {
  const sample = await Bun.file(join(ROOT, 'config', 'samples', 'completed-survey.json')).json()
  expect(sample).toMatchObject({
    triggered_event: 'Completed Survey',
    remote_id: expect.any(String),
    account: { remote_id: expect.any(String) },
    form: { uuid: expect.any(String), name: expect.any(String) },
    response: { uuid: expect.any(String), data: expect.any(Object), tags: [] },
  })
})
