import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readConfiguration } from '../../src/config/load.ts'
import { FIXTURES, PRODUCT_VARIABLES, productFolder } from './product-folder.ts'

const PRODUCT = readFileSync(join(FIXTURES, 'product.yaml'), 'utf8')

/** Pieces that change what YAML makes of their surroundings, or what kind a value is of. */
const SIGNS = Array.from(' :,{}[]"\'#?(!~\\\n\t')
const WORDS = [
  '  |\n|>-\n|- | # |&a |*a|null|5|true|{}|[]|""|x|${X}|${|{{ x|<<: |\r\n|0x',
  'mapping: |emit: |traits: |expect: |input: |nps: |preset: segment-catalog\n',
].flatMap((words) => words.split('|'))
const PIECES = fc.constantFrom('', '|\n', ...SIGNS, ...WORDS)

const edits = fc.array(fc.tuple(fc.nat(PRODUCT.length), fc.nat(12), PIECES), { minLength: 1, maxLength: 4 })

test('whatever is in a file, it is read or refused with mistakes that have a place in it', () => {
  using folder = productFolder()
  const file = join(folder.path, 'refiner-sync.yaml')
  fc.assert(
    fc.property(edits, (edits) => {
      const text = edits.reduce(
        (text, [at, cut, piece]) => text.slice(0, at) + piece + text.slice(at + cut),
        PRODUCT,
      )
      const loaded = readConfiguration({ file, text, environment: PRODUCT_VARIABLES })
      const told = [...(loaded.ok ? [] : loaded.mistakes), ...loaded.warnings]
      expect(loaded.ok || loaded.mistakes.length > 0).toBe(true)
      const lines = text.split('\n')
      for (const { line, column } of told) {
        expect(line).toBeLessThanOrEqual(lines.length)
        expect(column).toBeLessThanOrEqual(lines[line - 1]!.length + 1)
      }
    }),
    { numRuns: 500 },
  )
})
