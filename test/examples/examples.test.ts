import { describe, expect, test } from 'bun:test'
import { copyFileSync, mkdirSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { temporaryFolder } from '../config/temporary-folder.ts'
import { runHere } from '../support/in-process.ts'

/** The example configurations bring their own tests, which the program runs here as users do. */

const ROOT = join(import.meta.dir, '..', '..')
const FOLDER = join('config', 'examples')

/** Runs the program on a file below a folder, with a value for each variable that it names. */
async function run(command: readonly string[], file: string, folder = ROOT) {
  const text = await Bun.file(join(folder, file)).text()
  const names = [...text.matchAll(/\$\{(\w+)\}/g)].map(([, name]) => name!)
  const environment = Object.fromEntries(names.map((name) => [name, `value-of-${name}`]))
  const { code, stdout, stderr } = await runHere(
    [...command, '--json', '--config', file],
    folder,
    environment,
  )
  return { report: JSON.parse(stdout) as Report, problems: stderr, code }
}

interface Report {
  readonly mistakes: readonly unknown[]
  readonly warnings: readonly unknown[]
  readonly passed?: number
  readonly tests?: readonly { readonly verdict: string }[]
}

const files = readdirSync(join(ROOT, FOLDER)).filter((name) => name.endsWith('.yaml'))

describe.each(files)('%s', (name) => {
  const file = join(FOLDER, name)

  test('has no mistake and gives no warning', async () => {
    const { report, problems, code } = await run(['check'], file)
    expect({ ...report, problems }).toMatchObject({ mistakes: [], warnings: [], problems: '' })
    expect(code).toBe(0)
  })

  test('passes its tests', async () => {
    const { report, problems, code } = await run(['test'], file)
    const failed = report.tests?.filter(({ verdict }) => verdict !== 'passed')
    expect({ failed, mistakes: report.mistakes, problems }).toEqual({
      failed: [],
      mistakes: [],
      problems: '',
    })
    expect(report.passed).toBeGreaterThan(0)
    expect(code).toBe(0)
  })
})

test('every plugin of the repository is in the examples', async () => {
  const example = await Bun.file(join(ROOT, FOLDER, 'plugins.yaml')).text()
  const readme = await Bun.file(join(ROOT, 'plugins', 'README.md')).text()
  const plugins = readdirSync(join(ROOT, 'plugins')).filter((name) => name.endsWith('.ts'))
  expect(plugins.length).toBeGreaterThan(2)
  for (const plugin of plugins) {
    expect(example).toContain(`path: ../../plugins/${plugin}`)
    expect(readme).toContain(`(${plugin})`)
  }
})

test('every preset of the repository is in the examples', async () => {
  const example = await Bun.file(join(ROOT, FOLDER, 'presets.yaml')).text()
  for (const preset of readdirSync(join(ROOT, 'config', 'presets'))) {
    expect(example).toContain(`preset: ${preset.replace('.yaml', '')}`)
  }
})

test('the example that the product promises runs as it stands, in a folder of its own', async () => {
  using folder = temporaryFolder()
  const put = (from: string, to: string) => {
    mkdirSync(dirname(join(folder.path, to)), { recursive: true })
    copyFileSync(join(ROOT, from), join(folder.path, to))
  }
  put('test/fixtures/product.yaml', 'refiner-sync.yaml')
  for (const file of ['plugins/nps-category.ts', 'config/samples/nps.json']) put(file, file)
  const checked = await run(['check'], 'refiner-sync.yaml', folder.path)
  expect(checked).toMatchObject({ code: 0, problems: '', report: { mistakes: [] } })
  const tested = await run(['test'], 'refiner-sync.yaml', folder.path)
  expect(tested).toMatchObject({ code: 0, problems: '', report: { passed: 1 } })
})
