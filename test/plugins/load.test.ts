import { describe, expect, test } from 'bun:test'
import { rmSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { loadPlugins } from '../../src/plugins/load.ts'
import { call, inTexts, transforming, workshop } from './support.ts'

const shop = workshop()
const fine = transforming('return messages')

describe('loading', () => {
  test('nothing starts nothing', async () => {
    const loaded = await loadPlugins(new Map())
    expect(loaded).toMatchObject({ ok: true, files: [] })
    if (loaded.ok) loaded.host.stop()
  })

  test('a plugin tells the files it was made of, types aside', async () => {
    const path = shop.write(
      'one.ts',
      `import type { Plugin } from './nowhere.d.ts'\nimport { add } from './lib/add.ts'\n${transforming('return [add(1, 2)]')}`,
    )
    const add = shop.write('lib/add.ts', 'export const add = (a: number, b: number): number => a + b\n')
    const loaded = await shop.load(shop.settings('one', path))
    expect(loaded.ok).toBe(true)
    expect(new Set(loaded.files)).toEqual(new Set([path, add]))
    if (!loaded.ok) return
    const results = await inTexts(loaded.host).call('one', 'acme', [
      { interaction: '{}', messages: '[]', body: '{}' },
    ])
    expect(results).toEqual([{ kind: 'messages', messages: '[3]' }])
  })

  test.each([false, true])('a package below its folder is bundled (trusted: %p)', async (trusted) => {
    shop.write('node_modules/three/package.json', '{"name":"three","main":"index.js"}')
    shop.write('node_modules/three/index.js', 'module.exports = { three: 3 }\n')
    const run = await shop.plugin(`import { three } from 'three'\n${transforming('return [three]')}`, {
      trusted,
    })
    expect(await run()).toEqual({ kind: 'messages', messages: '[3]' })
  })

  test('a changed file takes effect with the next load, and not before', async () => {
    const path = shop.write('test.ts', transforming('return [1]'))
    const settings = shop.settings('test', path)
    const call = { interaction: '{}', messages: '[]', body: '{}' }
    const before = await shop.host(settings)
    shop.write('test.ts', transforming('return [2]'))
    const after = await shop.host(settings)
    expect(await before.call('test', 'acme', [call])).toEqual([{ kind: 'messages', messages: '[1]' }])
    expect(await after.call('test', 'acme', [call])).toEqual([{ kind: 'messages', messages: '[2]' }])
  })

  test('a plugin may be loaded in more than one step', async () => {
    const run = await shop.plugin(transforming('return [value]', 'const value = await Promise.resolve(7)'))
    expect(await run()).toEqual({ kind: 'messages', messages: '[7]' })
  })

  test('the problems of all plugins are told at once, in their order', async () => {
    const loaded = await shop.load(
      shop.settings('gone', '/no/such/plugin.ts'),
      shop.settings('fine', shop.write('fine.ts', fine)),
      shop.settings('broken', shop.write('broken.ts', 'export default {\n  name: 1 2\n}\n')),
      shop.settings('empty', shop.write('empty.ts', 'export const a = 1\n')),
    )
    expect(loaded.ok).toBe(false)
    if (loaded.ok) return
    const codes = loaded.problems.map(({ plugin, code }) => `${plugin} ${code}`)
    expect([...new Set(codes)]).toEqual([
      'gone plugin_unreadable',
      'broken plugin_syntax',
      'empty plugin_no_default_export',
    ])
    expect(loaded.files).toContain('/no/such/plugin.ts')
  })
})

describe('a problem is told with its place:', () => {
  test('a mistake in the syntax', async () => {
    const [problem] = await shop.problems("export default {\n  name: 'x'\n  transform() {},\n}\n")
    expect(problem).toMatchObject({
      code: 'plugin_syntax',
      line: 3,
      column: 3,
      sourceLine: '  transform() {},',
    })
  })

  test('a mistake in the syntax of a file it imports', async () => {
    const file = shop.write('part.ts', 'export const a: = 1\n')
    const [problem] = await shop.problems(`import { a } from './part.ts'\n${transforming('return [a]')}`)
    expect(problem).toMatchObject({ plugin: 'test', code: 'plugin_syntax', file, line: 1 })
  })

  test('a file that does not exist', async () => {
    const [problem] = await shop.problems(`\nimport { a } from './nowhere.ts'\n${transforming('return [a]')}`)
    expect(problem).toMatchObject({ code: 'plugin_import', line: 2, column: 19 })
    expect(problem?.message).toContain('./nowhere.ts')
  })

  test('a name that another file does not export', async () => {
    shop.write('part.ts', 'export const b = 1\n')
    const [problem] = await shop.problems(`import { a } from './part.ts'\n${transforming('return [a]')}`)
    expect(problem).toMatchObject({ code: 'plugin_import', line: 1 })
  })

  test.each(['node:fs', 'fs', 'path', 'node:child_process', 'bun', 'bun:ffi', 'bun:sqlite', 'fs/promises'])(
    'the import of %s',
    async (name) => {
      const [problem, ...more] = await shop.problems(
        `// fs\nimport * as it from '${name}'\n${transforming('return [it]')}`,
      )
      expect(more).toEqual([])
      expect(problem).toMatchObject({
        code: 'plugin_import',
        line: 2,
        column: 21,
        sourceLine: `import * as it from '${name}'`,
      })
      expect(problem?.message).toBe(`plugin test imports ${name}, which the sandbox does not have`)
    },
  )

  test.each(["await import('node:fs')", "require('fs')", "import('bun:ffi')"])(
    '%s inside a function',
    async (code) => {
      const [problem] = await shop.problems(
        transforming(`    const it = ${code}\n    return [it]`).replace('transform(', 'async transform('),
      )
      expect(problem).toMatchObject({ code: 'plugin_import', line: 6 })
    },
  )

  test('an import of a file that it imports', async () => {
    const file = shop.write('part.ts', "\n\nexport { readFileSync } from 'node:fs'\n")
    const [problem] = await shop.problems(
      `import { readFileSync } from './part.ts'\n${transforming('return [readFileSync]')}`,
    )
    expect(problem).toMatchObject({ code: 'plugin_import', file, line: 3, column: 30 })
  })

  test('a file that is no code', async () => {
    const file = shop.write('secret.txt', 'secret\n')
    const problems = await shop.problems(
      `import text from './secret.txt' with { type: 'text' }\n${transforming('return [text]')}`,
    )
    expect(problems).toMatchObject([{ code: 'plugin_import', file }])
  })

  test('a macro, which would run outside of the sandbox', async () => {
    const mark = shop.write('mark', '')
    shop.write(
      'macro.ts',
      `import { writeFileSync } from 'node:fs'\nexport const run = () => { writeFileSync('${mark}', 'ran'); return 1 }\n`,
    )
    const problems = await shop.problems(
      `import { run } from './macro.ts' with { type: 'macro' }\n${transforming('return [run()]')}`,
    )
    expect(problems.map(({ code }) => code)).toEqual(['plugin_import'])
    expect(await Bun.file(mark).text()).toBe('')
  })

  test.each([false, true])('an error while it is loaded (trusted: %p)', async (trusted) => {
    const [problem] = await shop.problems(`const a: any = null\n\nconsole.log(a.b)\n${fine}`, { trusted })
    expect(problem).toMatchObject({ code: 'plugin_load_failed', line: 3, sourceLine: 'console.log(a.b)' })
    expect(problem?.message).toStartWith('plugin test failed while it was loaded: TypeError: ')
  })

  test('a loop while it is loaded', async () => {
    const [problem] = await shop.problems(`const a: any = null\n\nwhile (!a) {}\n${fine}`, { timeoutMs: 100 })
    expect(problem).toMatchObject({
      code: 'plugin_load_failed',
      hint: expect.stringContaining('also bounds loading it'),
    })
    expect(problem?.message).toBe('plugin test failed while it was loaded: took longer than 1000ms')
  })

  test('a loop while a trusted one is loaded', async () => {
    const problems = await shop.problems(`while (true) {}\n${fine}`, { trusted: true })
    expect(problems).toMatchObject([{ code: 'plugin_load_failed' }])
  })

  test('an error in a later step of loading', async () => {
    const [problem] = await shop.problems(`await Promise.resolve()\nthrow new RangeError('late')\n${fine}`)
    expect(problem).toMatchObject({ code: 'plugin_load_failed', line: 2 })
    expect(problem?.message).toEndWith('RangeError: late')
  })

  test.each([
    ['export const a = 1', 'no default export'],
    ['export default function () {}', 'a default export that is a function, not an object'],
    ['export default { transform() {} }', 'no name in its default export'],
    ["export default { name: 'x', transform: 1 }", 'no function transform in its default export'],
  ])('%s', async (source, missing) => {
    for (const trusted of [false, true]) {
      const problems = await shop.problems(source, { trusted })
      expect(problems).toMatchObject([
        { code: 'plugin_no_default_export', message: `plugin test has ${missing}` },
      ])
    }
  })

  test('a folder instead of a file', async () => {
    const folder = dirname(shop.write('folder/file.ts', fine))
    const loaded = await shop.load(shop.settings('test', folder))
    expect(loaded).toMatchObject({ ok: false, problems: [{ code: 'plugin_unreadable', file: join(folder) }] })
  })
})

test('a folder behind a link that is turned to another is read anew', async () => {
  const first = shop.write(
    'releases/1/plugin.ts',
    transforming('return [one()]', "import { one } from './help.ts'"),
  )
  shop.write('releases/1/help.ts', 'export const one = () => 1')
  shop.write('releases/2/plugin.ts', transforming('return [one()]', "import { one } from './help.ts'"))
  shop.write('releases/2/help.ts', 'export const one = () => 2')
  const root = dirname(dirname(dirname(first)))
  const link = join(root, 'current')
  symlinkSync(join(root, 'releases', '1'), link)
  const results: unknown[] = []
  for (const release of ['1', '2']) {
    rmSync(link)
    symlinkSync(join(root, 'releases', release), link)
    const host = await shop.host(shop.settings('linked', join(link, 'plugin.ts')))
    results.push(...(await host.call('linked', 'acme', [call])))
  }
  expect(results).toEqual([
    { kind: 'messages', messages: '[1]' },
    { kind: 'messages', messages: '[2]' },
  ])
})
