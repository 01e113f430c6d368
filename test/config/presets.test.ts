import { describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { readConfiguration } from '../../src/config/load.ts'
import { BUILT_IN_PRESETS } from '../../src/config/presets.ts'
import { REFINER, SEGMENT, tenantFile } from './marked-file.ts'
import { productFolder } from './product-folder.ts'

const PRESET = `description: what we always do
events: { completed: Done, seen: Shown }
trait_prefix: p_
nps: true
mapping:
  - { name: first, drop: [a] }
  - { drop: [b] }
`

/** Reads a tenant with these settings of to_segment beside these presets. */
function load(
  settings: string,
  presets: Readonly<Record<string, string>> = { 'config/presets/ours.yaml': PRESET },
) {
  using folder = productFolder(presets)
  const text = tenantFile([REFINER, SEGMENT, `to_segment: ${settings}`])
  const file = join(folder.path, 'refiner-sync.yaml')
  const loaded = readConfiguration({ file, text, environment: {} })
  return { loaded, folder: folder.path }
}

function settingsOf(settings: string) {
  const { loaded } = load(settings)
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.mistakes))
  return loaded.configuration.tenants.get('acme')!.toSegment
}

/** Each mistake with its file, from the folder of the configuration on. */
function toldOf({ loaded, folder }: ReturnType<typeof load>): string[] {
  if (loaded.ok) return []
  return loaded.mistakes.map(
    ({ file, line, column, code }) => `${file.replace(`${folder}/`, '')}:${line}:${column} ${code}`,
  )
}

test('a preset gives its settings', () => {
  expect(settingsOf('{ preset: ours }')).toMatchObject({
    events: { completed: 'Done', seen: 'Shown', dismissed: null },
    traitPrefix: 'p_',
    nps: ['nps', 'nps_*', '*_nps'],
  })
})

test("the tenant's own settings win, events one by one", () => {
  expect(
    settingsOf('{ preset: ours, trait_prefix: "", nps: false, events: { seen: null, dismissed: Gone } }'),
  ).toMatchObject({ events: { completed: 'Done', seen: null, dismissed: 'Gone' }, traitPrefix: '', nps: [] })
})

test("the preset's rules come first, and are counted with the others", () => {
  const { mapping } = settingsOf('{ preset: ours, mapping: [{ drop: [c] }, { name: last, drop: [d] }] }')
  expect(mapping.map(({ name }) => name)).toEqual(['first', '#2', '#3', 'last'])
  expect(mapping[0]?.place).toEndWith('/config/presets/ours.yaml:6:5')
})

test('the files that were read are named, with those of secrets', () => {
  const { loaded, folder } = load('{ preset: ours, events: { seen: "${file:name.txt}" } }', {
    'config/presets/ours.yaml': 'events: { completed: "${file:done.txt}" }',
    'config/presets/done.txt': 'Done\n',
    'name.txt': 'Seen\n',
  })
  const files = ['refiner-sync.yaml', 'name.txt', 'config/presets/ours.yaml', 'config/presets/done.txt']
  expect(loaded.ok && loaded.configuration.files).toEqual(files.map((file) => join(folder, file)))
})

test('they are named for a refused file, too', () => {
  const { loaded, folder } = load('{ preset: ours, evnets: {}, trait_prefix: "${file:missing.txt}" }')
  const files = ['refiner-sync.yaml', 'missing.txt', 'config/presets/ours.yaml']
  expect(!loaded.ok && loaded.files).toEqual(files.map((file) => join(folder, file)))
})

describe('mistakes', () => {
  const BROKEN = 'events: { sene: X }\nmapping:\n  - { when: anwsers, drop: [a] }\n'

  test('in a preset are told in its own file', () => {
    const told = load('{ preset: ours }', { 'config/presets/ours.yaml': BROKEN })
    expect(toldOf(told)).toEqual([
      'config/presets/ours.yaml:1:11 unknown_key',
      'config/presets/ours.yaml:3:13 unknown_variable',
    ])
  })

  test.each([
    ['nothing', '', '1:1 empty_file'],
    ['a list', '- a', '1:1 not_a_mapping'],
    ['a setting of the tenant', 'enabled: true', '1:1 unknown_key'],
    ['broken YAML', 'events: { seen: "X }', '1:17 yaml_syntax'],
  ])('a preset that is %s', (_, text, wanted) => {
    expect(toldOf(load('{ preset: ours }', { 'config/presets/ours.yaml': text }))).toEqual([
      `config/presets/ours.yaml:${wanted}`,
    ])
  })

  test.each([
    ['misspelled', 'oours', /did you mean `ours`\?.*the presets are .*ours, .*segment-catalog/],
    ['like no other', 'something', /^the presets are .*ours, .*segment-catalog/],
    ['a path', '../ours', /the presets are/],
  ])('a preset that is not there: %s', (_, name, hint) => {
    const told = load(`{ preset: ${name} }`)
    expect(toldOf(told)).toEqual(['refiner-sync.yaml:5:27 unknown_preset'])
    expect(!told.loaded.ok && told.loaded.mistakes[0]?.hint).toMatch(hint)
  })

  test('a preset that cannot be read', () => {
    const told = load('{ preset: ours }', { 'config/presets/ours.yaml/x': '' })
    expect(toldOf(told)).toEqual(['refiner-sync.yaml:5:27 preset_unreadable'])
  })

  test("a rule of the name of one of the preset's", () => {
    const told = load('{ preset: ours, mapping: [{ name: first, drop: [c] }] }')
    expect(toldOf(told)).toEqual(['refiner-sync.yaml:5:51 duplicate_rule'])
  })
})

test.each([...BUILT_IN_PRESETS.keys()])('the built-in preset %s has no mistakes', (name) => {
  const { loaded } = load(`{ preset: ${name} }`, {})
  expect(loaded.ok ? loaded.warnings : loaded.mistakes).toEqual([])
  expect(loaded.ok && loaded.configuration.files).toHaveLength(1)
})

test('a preset beside the configuration stands before a built-in one of its name', () => {
  const { loaded } = load('{ preset: segment-catalog }', {
    'config/presets/segment-catalog.yaml': 'trait_prefix: own_',
  })
  expect(loaded.ok && loaded.configuration.tenants.get('acme')?.toSegment.traitPrefix).toBe('own_')
})
