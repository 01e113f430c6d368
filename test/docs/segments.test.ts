import { describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { parse } from 'yaml'
import { environmentOf } from '../../src/rules/environments.ts'
import { checkCondition } from '../../src/rules/segment-conditions.ts'
import { accepted, REFINER, SEGMENT, tenantFile } from '../config/marked-file.ts'

const PAGE = await Bun.file(join(import.meta.dir, '..', '..', 'docs', 'segments.md')).text()
const ROWS = PAGE.split('\n')
  .filter((line) => line.startsWith('| `'))
  .map((line) => line.split(/(?<!\\|\|)\|(?!\|)/).map((cell) => cell.trim()))

test('the configuration that the page shows works', () => {
  const [, block] = /^```yaml\n([^]*?)^```$/m.exec(PAGE)!
  const { tenants } = parse(block!) as { tenants: { acme: { segments: object } } }
  const file = tenantFile([REFINER, SEGMENT, `segments: ${JSON.stringify(tenants.acme.segments)}`])
  expect(accepted(file).warnings).toEqual([])
})

test('the table has every variable, and no other', () => {
  const there = environmentOf('segments')
    .getDefinitions()
    .variables.filter(({ type }) => type !== 'type')
    .map(({ name }) => name)
  const told = ROWS.map((cells) => cells[1]!.replaceAll('`', ''))
  expect(there.filter((name) => told.includes(name)).toSorted()).toEqual(told.toSorted())
})

describe('the conditions that the page shows are right', () => {
  const spans = PAGE.replaceAll(/^```[^]*?^```$/gm, '').matchAll(/`([^`\n]+)`/g)
  const shown = [...spans]
    .map((match) => match[1]!)
    .filter((text) => /==|!=|[<>]| in |exists|endsWith/.test(text))
  test.each(shown)('%s', (condition) => {
    expect(checkCondition(condition)).toEqual([])
  })
  test('and there are some', () => expect(shown.length).toBeGreaterThan(10))
})
