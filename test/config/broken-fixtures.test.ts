import { describe, expect, test } from 'bun:test'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readConfiguration } from '../../src/config/load.ts'
import { FIXTURES, PRODUCT_VARIABLES, productFolder } from './product-folder.ts'

const FOLDER = join(FIXTURES, 'broken-config')

function loaded(text: string) {
  using folder = productFolder()
  const file = join(folder.path, 'refiner-sync.yaml')
  return readConfiguration({ file, text, environment: PRODUCT_VARIABLES })
}

describe("the product's example with one thing wrong has that one mistake, in its place", () => {
  test.each(readdirSync(FOLDER))('%s', (name) => {
    const text = readFileSync(join(FOLDER, name), 'utf8')
    const [, wanted] = /^# (\w+ \d+:\d+)\n/.exec(text)!
    const result = loaded(text)
    const told = result.ok ? [] : result.mistakes
    expect(told.map(({ code, line, column }) => `${code} ${line}:${column}`)).toEqual([wanted!])
    expect(told[0]!.excerpt).not.toBeNull()
  })
})

test("the product's example is accepted, without a warning", () => {
  const result = loaded(readFileSync(join(FIXTURES, 'product.yaml'), 'utf8'))
  expect(result.ok ? [] : result.mistakes).toEqual([])
  expect(result.warnings).toEqual([])
})
