import { expect, test } from 'bun:test'
import { join } from 'node:path'
import { packageManager, scripts } from '../../package.json'
import { readConfiguration } from '../../src/config/load.ts'

const readme = await Bun.file(join(import.meta.dir, '..', '..', 'README.md')).text()

test('names the one version of Bun that the project is pinned to, wherever it names one', () => {
  const named = [...readme.matchAll(/bun@[\d.]+/g)].map(([text]) => text)
  expect(named.length).toBeGreaterThan(0)
  expect(new Set(named)).toEqual(new Set([packageManager]))
})

test('names scripts that exist', () => {
  const named = [...readme.matchAll(/bun(?:@[\d.]+)? run ([\w:]+)/g)].map(([, name]) => name!)
  for (const name of named) expect(Object.keys(scripts)).toContain(name)
})

test('shows a configuration that works as it stands', () => {
  const yaml = /```yaml\n([^]*?)```/.exec(readme)![1]!
  const names = [...yaml.matchAll(/\$\{(\w+)\}/g)].map(([, name]) => name!)
  const environment = Object.fromEntries(names.map((name) => [name, `value-of-${name}`]))
  const loaded = readConfiguration({ file: 'refiner-sync.yaml', text: yaml, environment })
  expect(loaded).toMatchObject({ ok: true, warnings: [] })
})
