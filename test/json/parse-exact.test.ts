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
