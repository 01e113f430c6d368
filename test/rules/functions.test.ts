import { describe, expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import { compileExpression } from '../../src/rules/expression.ts'
import { failureText } from '../../src/rules/failures.ts'
import { toJson } from '../../src/rules/to-json.ts'

const VARIABLES = {
  answers: {
    nps: '9',
    seats: 12,
    ratio: 0.5,
    empty: '',
    name: 'Ada',
    tools: ['a', 'b', null],
    when: '2024-03-31 00:30:00',
    nested: { a: 1, b: null },
    text: 'What is your job role?',
  },
  tenant: 'acme',
}

function evaluate(text: string): unknown {
  const compiled = compileExpression('to_segment', text, 'value')
  if (!compiled.ok) throw new Error(compiled.problem.message)
  return toJson(compiled.value.evaluate(VARIABLES))
}

function failure(text: string): string {
  try {
    return `no failure: ${JSON.stringify(evaluate(text))}`
  } catch (error) {
    return failureText(error, text)
  }
}

describe('what expressions give', () => {
  test.each<[string, unknown]>([
    ['int(answers.nps)', 9],
    ['int(answers.nps) + 1', 10],
    ['answers.seats + 1', 13],
    ['answers.seats * 2 - answers.ratio', 23.5],
    ['10 / answers.ratio', 20],
    ['number(answers.nps) / 2', 4.5],
    ['number(" 4.5 ")', 4.5],
    ['lower("ÄB")', 'äb'],
    ['upper("ab")', 'AB'],
    ['trim("  a ")', 'a'],
    ['slug(answers.text)', 'what_is_your_job_role'],
    ['slug("Crème brûlée & co")', 'creme_brulee_co'],
    ['"a.b.c".replace(".", "$&")', 'a$&b$&c'],
    ['"NPS 2024".matches("^NPS [0-9]+$")', true],
    ['"x".matches("^a")', false],
    ['nps_category(answers.nps)', 'promoter'],
    ['nps_category(8)', 'passive'],
    ['nps_category("0")', 'detractor'],
    ['default(answers.missing, "none")', 'none'],
    ['default(answers.empty, "none")', 'none'],
    ['default(answers.tools[7], "none")', 'none'],
    ['default([][0], "none")', 'none'],
    ['default(answers.name, "none")', 'Ada'],
    ['default(answers.missing.deeper, 3)', 3],
    ['text(answers.tools)', 'a, b'],
    ['text(answers.seats)', '12'],
    ['text(answers.nested)', '{"a":1,"b":null}'],
    ['join(answers.tools, " + ")', 'a + b'],
    ['list(answers.name)', ['Ada']],
    ['list(answers.tools)', ['a', 'b', null]],
    ['compact(answers.nested)', { a: 1 }],
    ['merge({"a": 1, "b": 1}, {"b": "x"})', { a: 1, b: 'x' }],
    ['date(answers.when)', '2024-03-31'],
    ['format_date(answers.when, "DD.MM.YYYY HH:mm:ss")', '31.03.2024 00:30:00'],
    ['format_date(answers.when, "YYYY-MM-DD HH:mm", "America/New_York")', '2024-03-30 20:30'],
    ['format_date(timestamp("2024-03-31T00:30:00Z"), "HH", "Europe/Berlin")', '01'],
    ['timestamp("2024-03-31T00:30:00Z")', '2024-03-31T00:30:00.000Z'],
    ['{"a": 1, "b": ["x", 2]}', { a: 1, b: ['x', 2] }],
    ['9007199254740993', '9007199254740993'],
    ['answers.tools.exists(tool, tool == "b")', true],
    ['has(answers.nps) && !has(answers.nothing)', true],
    ['answers.?nothing.orValue("d")', 'd'],
    ['answers.?name', 'Ada'],
    ['answers.?nothing', null],
    ['[answers.?name, answers.?nothing]', ['Ada', null]],
    ['date("2024-02-29")', '2024-02-29'],
    ['format_date("0033-04-03", "YYYY")', '0033'],
    ['merge({"a": 1}, compact({"b": 2, "c": null})).b + 1', 3],
    ['merge({"a": 1}, {}) == {"a": 1}', true],
  ])('%s', (text, value) => {
    expect(evaluate(text)).toEqual(value)
  })

  test('hash is SHA-256 of the text, and HMAC-SHA-256 with a key', () => {
    expect(evaluate('hash("Ada")')).toBe(createHash('sha256').update('Ada').digest('hex'))
    expect(evaluate('hash("Ada", "key")')).not.toBe(evaluate('hash("Ada")'))
    expect(evaluate('hash("Ada", "key")')).toMatch(/^[0-9a-f]{64}$/)
  })
})

describe('what fails says why, and quotes no value', () => {
  test.each([
    ['int(answers.name)', '`int(answers.name)`: int conversion error'],
    ['number(answers.name)', 'number() was given something that is no number'],
    ['answers.missing', 'there is no `answers.missing`'],
    ['answers.name.missing', 'there is no `answers.name.missing`'],
    ['nps_category(answers.seats)', 'nps_category() needs a whole number from 0 to 10'],
    ['date(answers.name)', 'the value is no date'],
    ['answers.name - 1', '`answers.name - 1` has no meaning for the types of these values'],
    ['format_date(answers.when, "HH", "Mars/Base")', 'there is no such time zone'],
    ['answers.text.matches(answers.name + "(")', 'the pattern is no regular expression'],
    ['number([])', 'number() was given something that is no number'],
    ['number([4])', 'number() was given something that is no number'],
    ['number(true)', 'number() was given something that is no number'],
    ['number(timestamp("2024-03-31T00:30:00Z"))', 'number() was given something that is no number'],
    ['nps_category(["9"])', 'nps_category() needs a whole number from 0 to 10'],
    ['date("2024-02-30")', 'the value is no date'],
    ['date("2023-02-29 10:00:00")', 'the value is no date'],
    ['format_date("2024-04-31T10:00:00+02:00", "DD")', 'the value is no date'],
  ])('%s', (text, says) => {
    expect(failure(text)).toBe(says)
    expect(failure(text)).not.toContain('Ada')
  })
})

test('a failure shows no text of the expression: it may be a secret', () => {
  expect(failure('int(hash(answers.name, "s3cr3t") + answers["name"])')).toBe(
    '`int(hash(answers.name, "…") + answers["name"])`: int conversion error',
  )
  expect(failure('int(["s3cr3t"][0])')).toBe('`int(["…"][0])`: int conversion error')
  expect(failure('answers.name.contains("x") ? 1 : int( [ "s3cr3t", "b" ][0])')).not.toContain('s3cr3t')
})

test('no pattern takes longer than its text is long', () => {
  const compiled = compileExpression('to_segment', 'answers.name.matches("^(a+)+$")', 'condition')
  const answers = { name: `${'a'.repeat(100_000)}!` }
  expect(compiled.ok && compiled.value.evaluate({ answers })).toBe(false)
})

test.each(['answers.__proto__', 'answers.constructor', 'answers["__proto__"]', 'answers.toString'])(
  '%s is an answer like any other, and was not given',
  (text) => {
    expect(failure(text)).toContain('there is no')
  },
)
