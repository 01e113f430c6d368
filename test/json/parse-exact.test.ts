import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { parseExact } from '../../src/json/parse-exact.ts'

test('integers beyond what a number holds keep their digits, as text', () => {
  const text = '{"a":9007199254740993,"b":[-12345678901234567890],"c":9007199254740991,"d":1.5,"e":1e30}'
  expect(parseExact(text)).toEqual({
    a: '9007199254740993',
    b: ['-12345678901234567890'],
    c: 9007199254740991,
    d: 1.5,
    e: 1e30,
  })
})

test('everything else is what JSON.parse makes of it', () => {
  const texts = fc.json().filter((text) => !/\d{16}/.test(text))
  fc.assert(
    fc.property(texts, (text) => {
      const withLong = `["1234567890123456",1234567890123456,${text}]`
      expect(JSON.stringify(parseExact(withLong))).toBe(JSON.stringify(JSON.parse(withLong)))
    }),
  )
})

test('an integer that no number holds at all keeps its digits too', () => {
  const digits = '9'.repeat(400)
  expect(parseExact(`[${digits},-${digits} ]`)).toEqual([digits, `-${digits}`])
})

test('what is in strings, has a fraction or stands where a name does is left alone', () => {
  const long = '12345678901234567'
  expect(parseExact(`{"a":"[${long}]","b\\"":",${long},","c":[${long}]}`)).toEqual({
    a: `[${long}]`,
    'b"': `,${long},`,
    c: [long],
  })
  expect(parseExact(`[${long},1.${long},${long}e1,${long}.0]`)).toEqual([
    long,
    Number(`1.${long}`),
    Number(`${long}e1`),
    Number(`${long}.0`),
  ])
})

test('what JSON.parse refuses is refused', () => {
  const long = '12345678901234567'
  for (const broken of [
    `{${long}:1}`,
    `{${long} \n:1}`,
    `0${long}`,
    `--${long}`,
    `"${long}`,
    `1 ${long}`,
    `+${long}`,
    `${long}-`,
  ])
    for (const text of [broken, `[${long},${broken}]`]) expect(() => parseExact(text)).toThrow(SyntaxError)
  // Broken anywhere, it is as broken as before.
  const alphabet = fc.constantFrom(
    long,
    `-${long}`,
    '{',
    '}',
    '[',
    ']',
    ':',
    ',',
    '"',
    '\\',
    ' ',
    '1',
    '.',
    'e',
    '"a"',
  )
  fc.assert(
    fc.property(fc.array(alphabet, { maxLength: 8 }), (parts) => {
      const text = parts.join('')
      expect(outcome(() => parseExact(text))).toBe(outcome(() => JSON.parse(text)))
    }),
    { numRuns: 20_000 },
  )
})

function outcome(parse: () => unknown): string {
  try {
    parse()
    return 'parsed'
  } catch (error) {
    return error instanceof Error ? error.name : 'unknown'
  }
}
