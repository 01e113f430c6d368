import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Environment } from '@marcbachmann/cel-js'
import { parse, stringify } from 'yaml'
import { environmentOf } from '../../src/rules/environments.ts'
import { runHere } from '../support/in-process.ts'

/**
 * The pages show configurations as blocks marked ```yaml test. The first is a whole one; the others show what is
 * different in its tenant. Each has tests, which the program itself runs here. Blocks marked ```ts PATH are the plugins
 * that they name.
 */

const ROOT = join(import.meta.dir, '..', '..')

interface Block {
  readonly line: number
  readonly text: string
}

async function blocksOf(page: string): Promise<Block[]> {
  const text = await Bun.file(join(ROOT, 'docs', page)).text()
  return [...text.matchAll(/^```yaml test\n([^]*?)^```$/gm)].map((match) => ({
    line: text.slice(0, match.index).split('\n').length,
    text: match[1]!,
  }))
}

interface Written {
  readonly tenants?: { readonly acme: object }
  readonly plugins?: object
  readonly tests?: readonly object[]
}

const MAPPING = await blocksOf('mapping.md')
const PLUGINS = await blocksOf('plugins.md')
const WHOLE = parse(MAPPING[0]!.text) as Required<Written>

/** What shows only what is different, in the tenant of the whole one. */
function completed(block: Block): Written {
  const { tests, plugins, ...rest } = parse(block.text) as Written
  if (rest.tenants !== undefined) return { ...rest, ...(plugins && { plugins }), ...(tests && { tests }) }
  const acme = { ...WHOLE.tenants.acme, ...rest }
  return { ...(plugins && { plugins }), tenants: { acme }, ...(tests && { tests }) }
}

let folder: string

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'refiner-sync-docs-'))
  mkdirSync(join(folder, 'config'))
  cpSync(join(ROOT, 'config', 'samples'), join(folder, 'config', 'samples'), { recursive: true })
  cpSync(join(ROOT, 'plugins'), join(folder, 'plugins'), { recursive: true })
  const page = await Bun.file(join(ROOT, 'docs', 'plugins.md')).text()
  for (const [, path, code] of page.matchAll(/^```ts (plugins\/[\w-]+\.ts)\n([^]*?)^```$/gm)) {
    writeFileSync(join(folder, path!), code!)
  }
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Runs the program on a configuration as users do, with a value for each variable that it names. */
async function run(command: readonly string[], file: string) {
  const text = await Bun.file(join(folder, file)).text()
  const names = [...text.matchAll(/\$\{(\w+)\}/g)].map(([, name]) => name!)
  const environment = Object.fromEntries(names.map((name) => [name, `value-of-${name}`]))
  const {
    stdout: out,
    stderr: problems,
    code,
  } = await runHere([...command, '--config', file], folder, environment)
  return { out, problems, code }
}

interface Report {
  readonly passed: number
  readonly failed: number
  readonly mistakes: readonly unknown[]
  readonly warnings: readonly unknown[]
  /** None where the configuration is refused. */
  readonly tests?: readonly {
    readonly name: string
    readonly verdict: string
    readonly failures: readonly unknown[]
  }[]
}

describe.each([
  ['mapping.md', MAPPING],
  ['plugins.md', PLUGINS],
])('%s', (page, blocks) => {
  test.each(blocks.map((block) => [block.line, block] as const))(
    'the example in line %d',
    async (line, block) => {
      const configuration = completed(block)
      expect(configuration.tests?.length ?? 0).toBeGreaterThan(0)
      const file = `${page}-${line}.yaml`
      writeFileSync(join(folder, file), stringify(configuration, { lineWidth: 0 }))
      const { out, problems, code } = await run(['test', '--json'], file)
      expect(problems).toBe('')
      const { tests = [], mistakes, warnings, passed } = JSON.parse(out) as Report
      const failed = tests.filter(({ verdict }) => verdict !== 'passed')
      expect({ failed, mistakes, warnings }).toEqual({ failed: [], mistakes: [], warnings: [] })
      expect(passed).toBe(configuration.tests!.length)
      expect(code).toBe(0)
    },
  )
})

test('what `try` is shown to say, it says', async () => {
  const text = await Bun.file(join(ROOT, 'docs', 'mapping.md')).text()
  const [, rules, shown] = /Of these two rules\n\n```yaml\n([^]*?)```[^]*?```text\n([^]*?)```/.exec(text)!
  const whole = MAPPING[0]!.text.split('\ntests:')[0]!
  writeFileSync(join(folder, 'refiner-sync.yaml'), whole + rules!.trimEnd().replaceAll(/^/gm, '    '))
  const { out, code } = await run(['try', 'config/samples/nps.json'], 'refiner-sync.yaml')
  expect(out.slice(out.indexOf('Rules\n'), out.indexOf('\nWhat would be sent'))).toBe(shown!)
  expect(code).toBe(0)
})

describe('the tables name', () => {
  const ofCel = new Environment({ enableOptionalTypes: true }).getDefinitions()

  test.each(['to_segment', 'to_refiner'] as const)('every function and variable of %s', async (direction) => {
    const page = await Bun.file(join(ROOT, 'docs', 'mapping.md')).text()
    const rows = page.split('\n').filter((line) => line.startsWith('| '))
    const { functions, variables } = environmentOf(direction).getDefinitions()
    const ours = without(functions, ofCel.functions).map((name) => `${name}(`)
    const seen = without(variables, ofCel.variables).map((name) => `\`${name}`)
    expect(ours.length).toBeGreaterThan(10)
    expect(seen.length).toBeGreaterThan(3)
    expect([...ours, ...seen].filter((name) => !rows.some((row) => row.includes(name)))).toEqual([])
  })
})

interface Named {
  readonly name: string
}

/** The names of those that the others do not have; what begins with no letter is internal. */
function without(all: readonly Named[], others: readonly Named[]): string[] {
  const known = new Set(others.map(({ name }) => name))
  return [...new Set(all.map(({ name }) => name))].filter((name) => !known.has(name) && /^[a-z]/.test(name))
}

test('links of the pages lead to headings that exist', async () => {
  for (const page of ['mapping.md', 'plugins.md']) {
    const text = await Bun.file(join(ROOT, 'docs', page)).text()
    for (const [, target, anchor] of text.matchAll(/\]\(([\w.-]*\.md)?(?:#([\w-]+))?\)/g)) {
      if (target === undefined && anchor === undefined) continue
      const linked = await Bun.file(join(ROOT, 'docs', target ?? page)).text()
      const anchors = [...linked.matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
        heading!
          .toLowerCase()
          .replaceAll(/[^\w -]/g, '')
          .replaceAll(' ', '-'),
      )
      if (anchor !== undefined) expect(anchors).toContain(anchor)
    }
  }
})
