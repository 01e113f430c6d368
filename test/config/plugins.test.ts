import { expect, test } from 'bun:test'
import { join } from 'node:path'
import { readConfiguration } from '../../src/config/load.ts'
import { formatMistake, type MistakeCode } from '../../src/config/mistake.ts'
import { mistakeElsewhere } from '../../src/config/telling/elsewhere.ts'
import { REFINER, SEGMENT, tenantFile, unmarked } from './marked-file.ts'
import { productFolder } from './product-folder.ts'

function load(settings: string, environment: Record<string, string> = {}) {
  using folder = productFolder()
  const text = tenantFile(
    [REFINER, SEGMENT, 'to_segment: { plugins: [p] }'],
    [`plugins: { p: { ${settings} } }`],
  )
  const file = join(folder.path, 'refiner-sync.yaml')
  return { folder: folder.path, loaded: readConfiguration({ file, text, environment }) }
}

const PATH = 'path: plugins/nps-category.ts'

test('a plugin that says little gets every default', () => {
  const { loaded, folder } = load(PATH)
  expect(loaded.ok && loaded.configuration.plugins.get('p')).toEqual({
    name: 'p',
    path: join(folder, 'plugins/nps-category.ts'),
    place: `${folder}/refiner-sync.yaml:6:23`,
    trusted: false,
    timeoutMs: 100,
    memoryBytes: 32 * 1024 * 1024,
    permissions: { env: new Map(), time: false, random: false, net: [] },
    options: {},
  })
  expect(loaded.ok && loaded.configuration.tenants.get('acme')?.toSegment.plugins).toEqual(['p'])
})

test('what it says holds', () => {
  const permissions =
    'permissions: { env: [LABEL], time: true, random: true, net: [api.example.com, "localhost:1"] }'
  const options = 'options: { any: [{ json: null }, 1.5, 12345678901234567890], of: "${LABEL}" }'
  const { loaded } = load(`${PATH}, timeout: 2s, memory: 8MB, ${permissions}, ${options}`, { LABEL: 'x' })
  expect(loaded.warnings).toEqual([])
  expect(loaded.ok && loaded.configuration.plugins.get('p')).toMatchObject({
    timeoutMs: 2000,
    memoryBytes: 8 * 1024 * 1024,
    permissions: {
      env: new Map([['LABEL', 'x']]),
      time: true,
      random: true,
      net: ['api.example.com', 'localhost:1'],
    },
    options: { any: [{ json: null }, 1.5, '12345678901234567890'], of: 'x' },
  })
})

test('a trusted one', () => {
  const { loaded } = load(`${PATH}, trusted: true, timeout: 1s, permissions: { env: [LABEL] }`, {
    LABEL: 'x',
  })
  expect(loaded.warnings).toEqual([])
  expect(loaded.ok && loaded.configuration.plugins.get('p')?.trusted).toBe(true)
})

test.each<[settings: string, code: MistakeCode, says: RegExp]>([
  ['path: ¦plugins/none.ts', 'plugin_unreadable', /no such file/],
  ['path: ¦plugins', 'plugin_unreadable', /not a regular file/],
  [`${PATH}, permissions: { env: [¦LABLE] }`, 'missing_variable', /mean `LABEL`/],
  [`${PATH}, permissions: { net: [¦"https://x.example"] }`, 'bad_host', /without `https/],
  [`${PATH}, permissions: { net: [x.example, ¦x.example] }`, 'duplicate_item', /before/],
  [`${PATH}, permissions: { ¦fs: true }`, 'unknown_key', /env, time, random, net/],
  [`${PATH}, memory: ¦64KB`, 'out_of_range', /from 1MB/],
  [`${PATH}, timeout: ¦100`, 'bad_duration', /500ms/],
  [`${PATH}, options: { a: 1, ¦a: 2 }`, 'duplicate_key', /twice/],
  [`${PATH}, options: ¦[a]`, 'wrong_type', /mapping/],
])('%s is a mistake', (settings, code, says) => {
  const { text, column } = unmarked(settings)
  const { loaded } = load(text, { LABEL: 'x' })
  const mistakes = loaded.ok ? [] : loaded.mistakes
  expect(mistakes.map((it) => [it.code, it.line, it.column])).toEqual([
    [code, 6, 'plugins: { p: { '.length + column],
  ])
  expect(formatMistake(mistakes[0]!)).toMatch(says)
})

test('what is wrong in the code of a plugin is told like all else', () => {
  const mistake = mistakeElsewhere({
    code: 'plugin_syntax',
    message: 'loading plugin p: unexpected }',
    hint: 'mend it',
    file: 'plugins/p.ts',
    line: 12,
    column: 3,
    sourceLine: '\t }\u001B[31m',
  })
  expect(formatMistake(mistake).split('\n')).toEqual([
    'plugins/p.ts:12:3: error: loading plugin p: unexpected }',
    '  12 | \t }\uFFFD[31m',
    '     | \t ^',
    '  mend it',
  ])
})
