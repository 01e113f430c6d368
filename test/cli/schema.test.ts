import { expect, test } from 'bun:test'
import { join } from 'node:path'
import { jsonSchema } from '../../src/config/json-schema.ts'
import { commandFolder } from './command.ts'

test('schema prints the JSON schema of the configuration', async () => {
  using folder = commandFolder()
  for (const args of [['schema'], ['schema', 'config']]) {
    const { code, stdout } = await folder.run(args)
    expect(JSON.parse(stdout)).toEqual(jsonSchema())
    expect(code).toBe(0)
  }
})

test('schema plugin prints the contract of plugins as it is', async () => {
  using folder = commandFolder()
  const { stdout } = await folder.run(['schema', 'plugin'])
  const source = Bun.file(join(import.meta.dir, '..', '..', 'src', 'contracts', 'plugin.ts'))
  expect(stdout).toBe(await source.text())
})

test('schema of anything else is a mistake of the command line', async () => {
  using folder = commandFolder()
  const { code, stderr } = await folder.run(['schema', 'tests'])
  expect(stderr).toContain('Allowed choices are config, plugin')
  expect(code).toBe(2)
})

test.each(['init', 'test', 'try', 'schema'])('%s --help shows examples', async (command) => {
  using folder = commandFolder()
  const { code, stdout } = await folder.run([command, '--help'])
  expect(stdout).toContain(`\n  refiner-sync ${command}`)
  expect(code).toBe(0)
})
