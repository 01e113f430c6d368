import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { parseDocument, type Scalar } from 'yaml'
import { offsetInScalar } from '../../src/config/reading/scalar-text.ts'

/** What expressions are made of, each sign but the spaces to be found again in the file. */
const SIGNS = fc.constantFrom(...Array.from('abcXYZ019_.()[]{}"\'\\/,:#&|?!<>=+-*%@`~^$ äλ😀'))

const words = fc.array(SIGNS, { minLength: 1, maxLength: 30 }).map((signs) => signs.join(''))

/** Lines of a text that starts and ends with something. */
const texts = fc
  .array(fc.tuple(fc.constantFrom('', '', '  '), words, fc.constantFrom('\n', '\n', '\n\n', '\n\n\n')), {
    minLength: 1,
    maxLength: 4,
  })
  .map((lines) =>
    lines
      .map(([indent, word, end]) => `${indent}${word}${end}`)
      .join('')
      .trim(),
  )
  .filter((text) => text !== '')

const oneLine = texts.map((text) => text.replaceAll(/\s*\n\s*/g, ' '))

/** A way to write a text, with the value to be read where it is not the text itself. */
interface Style {
  readonly texts: fc.Arbitrary<string>
  readonly write: (text: string, random: (below: number) => number) => string
}

function escaped(text: string, random: (below: number) => number): string {
  const signs = Array.from(text).map((sign) => {
    const point = sign.codePointAt(0)!
    const hex = (digits: number) => point.toString(16).padStart(digits, '0')
    if (sign === '\n') return '\\n'
    if (sign === '"' || sign === '\\') return random(2) === 0 ? `\\${sign}` : `\\x${hex(2)}`
    const ways = [sign, sign, sign, `\\U${hex(8)}`]
    if (point < 0x10000) ways.push(`\\u${hex(4)}`)
    if (point < 0x100) ways.push(`\\x${hex(2)}`)
    if (sign !== ' ') ways.push(`\\\n      ${sign}`)
    return ways[random(ways.length)]!
  })
  return `"${signs.join('')}"`
}

const indented = (text: string, spaces: number) =>
  text
    .split('\n')
    .map((line) => (line === '' ? '' : ' '.repeat(spaces) + line))
    .join('\n')

const pick = <T>(items: readonly T[], random: (below: number) => number) => items[random(items.length)]!

const STYLES: Readonly<Record<string, Style>> = {
  'in single quotes': { texts: oneLine, write: (text) => `'${text.replaceAll("'", "''")}'` },
  'in single quotes over lines': {
    texts: oneLine,
    write: (text) => `'${text.replaceAll("'", "''").replaceAll(/(?<=\S) (?=\S)/g, ' \n\n    ')}'`,
  },
  'in double quotes': { texts, write: escaped },
  'in double quotes over lines': {
    texts: oneLine,
    write: (text, random) => escaped(text, random).replaceAll(/(?<=\w) (?=\w)/g, '\n    '),
  },
  'below |': {
    texts,
    write: (text, random) =>
      `|${pick(['', '-', '+'], random)}${pick(['', ' # why'], random)}\n${indented(text, 2 + random(3))}${pick(['', '\n', '\n\n'], random)}`,
  },
  'below | with its indentation': {
    texts,
    write: (text, random) => `|${pick(['2', '2-', '+2'], random)}\n${indented(` ${text}`, 4)}\n`,
  },
  'below >': {
    texts,
    write: (text, random) =>
      `>${pick(['', '-', '+'], random)}\n${pick(['', '\n'], random)}${indented(text, 3)}${pick(['', '\n', '\n\n'], random)}`,
  },
}

/** A value's sign as it may stand in the file. */
function standsAt(file: string, offset: number, sign: string): boolean {
  const rest = file.slice(offset)
  if (rest.startsWith(sign)) return true
  if (sign === ' ' || sign === '\n') return /^\s|^\\[nx]|^\\[uU]0/.test(rest)
  const escape = /^\\(?:x(..)|u(....)|U(........)|(["\\]))/.exec(rest)
  if (escape === null) return false
  const [, x, u, long, plain] = escape
  const code = x ?? u ?? long
  return code === undefined ? plain === sign : String.fromCodePoint(Number.parseInt(code, 16)).includes(sign)
}

describe('each sign of a value is found where it stands', () => {
  test.each(Object.entries(STYLES))('%s', (_, { texts, write }) => {
    fc.assert(
      fc.property(texts, fc.infiniteStream(fc.nat(1000)), fc.boolean(), (text, stream, windows) => {
        const random = (below: number) => (stream.next().value as number) % below
        const written = `# 😀\nrules:\n  when: ${write(text, random)}\n  stop: true\n`
        const file = windows ? written.replaceAll('\n', '\r\n') : written
        const scalar = parseDocument(file, { schema: 'core' }).getIn(['rules', 'when'], true) as Scalar
        const value = String(scalar.value)
        const offsets = Array.from({ length: value.length }, (_, at) =>
          offsetInScalar(file, scalar, value, at),
        )
        for (const [at, offset] of offsets.entries()) {
          if (offset === null)
            throw new Error(`no place for ${at} of ${JSON.stringify(value)} in ${JSON.stringify(file)}`)
          const sign = value[at]!
          if (/[\uD800-\uDFFF]/.test(sign)) continue
          if (!standsAt(file, offset, sign)) {
            throw new Error(`${JSON.stringify(sign)} is not at ${JSON.stringify(file.slice(offset))}`)
          }
        }
        const places = offsets.map(Number)
        expect(places).toEqual(places.toSorted((a, b) => a - b))
        const [start, end] = scalar.range!
        expect(offsetInScalar(file, scalar, value, 0)).toBeGreaterThanOrEqual(start)
        expect(offsetInScalar(file, scalar, value, value.length)).toBeLessThanOrEqual(end)
      }),
      { numRuns: 400 },
    )
  })
})
