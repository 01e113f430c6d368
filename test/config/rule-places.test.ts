import { describe, expect, test } from 'bun:test'
import { formatMistake, type MistakeCode } from '../../src/config/mistake.ts'
import { mistakesOf, read, REFINER, SEGMENT, tenantFile, unmarked } from './marked-file.ts'

function inRule(...lines: string[]): string {
  const [first, ...rest] = lines
  return tenantFile([
    REFINER,
    SEGMENT,
    'to_segment:',
    '  mapping:',
    `    - ${first}`,
    ...rest.map((line) => `      ${line}`),
  ])
}

const EXPRESSIONS: readonly (readonly [what: string, file: string, code: MistakeCode])[] = [
  ['plain', inRule('drop: [a]', 'when: survey.name == ¦anwsers'), 'unknown_variable'],
  ['in single quotes', inRule('drop: [a]', `when: 'survey.name == "it''s" && ¦anwsers'`), 'unknown_variable'],
  [
    'in double quotes',
    inRule('drop: [a]', 'when: "survey.name == \\"\\x41\\u0042\\" && ¦anwsers"'),
    'unknown_variable',
  ],
  [
    'below |',
    inRule('drop: [a]', 'when: |', '  survey.name == "a"', '', '    && ¦anwsers'),
    'unknown_variable',
  ],
  [
    'below > without a line break',
    inRule('drop: [a]', 'when: >-', '  survey.name == "a"', '  && ¦anwsers'),
    'unknown_variable',
  ],
  ['in braces', inRule('{ drop: [a], traits: { x: survey.name, y: ¦anwsers } }'), 'unknown_variable'],
  ['that gives a map', inRule('traits: ¦anwsers'), 'unknown_variable'],
  ['in a template', inRule(`event: '{{ survey.name }}s, {{ ¦anwsers }}'`), 'unknown_variable'],
  [
    'of an emitted message',
    inRule('emit:', '  type: track', '  event: A', '  properties: { a: 1, b: ¦anwsers }'),
    'unknown_variable',
  ],
  [
    'through an alias',
    inRule('drop: [a]', 'traits: { x: &x survey.name }', 'event: "{{ ¦anwsers }}"', 'context: { a: *x }'),
    'unknown_variable',
  ],
  [
    'with a variable of the environment',
    inRule('drop: [a]', 'when: ¦"${HOME} == anwsers"'),
    'unknown_variable',
  ],
]

describe('a mistake in an expression is told at its sign', () => {
  test.each(EXPRESSIONS)('%s', (_, file, code) => {
    const { text, line, column } = unmarked(file)
    const mistakes = mistakesOf(text, { HOME: 'survey.name' })
    expect(mistakes.map((it) => `${it.code} ${it.line}:${it.column}`)).toEqual([`${code} ${line}:${column}`])
    expect(mistakes[0]!.excerpt!.slice(mistakes[0]!.caret - 1)).toStartWith(
      text.split('\n')[line - 1]!.slice(column - 1),
    )
  })

  test('in rules that two tenants share, once', () => {
    const text = `${inRule('drop: [a]', 'when: anwsers').replace('to_segment:', 'to_segment: &rules')}  beta:
    refiner: { api_key: k, webhook: { secret: w } }
    segment: { write_key: k, shared_secret: s }
    to_segment: *rules
`
    expect(mistakesOf(text).map(({ code, line }) => `${code} ${line}`)).toEqual(['unknown_variable 8'])
  })

  test('that an alias stands for, at the alias where only that use of it is wrong', () => {
    const file = inRule('traits: { a: &x "1 + 1" }', 'when: ¦*x')
    const { text, line, column } = unmarked(file)
    expect(mistakesOf(text).map((it) => `${it.code} ${it.line}:${it.column}`)).toEqual([
      `expression_type ${line}:${column}`,
    ])
  })
})

const YAML: readonly (readonly [what: string, file: string, code: MistakeCode, says: RegExp])[] = [
  [
    'a call in braces',
    inRule('{ traits: { a: ¦merge(user, answers) } }'),
    'unquoted_expression',
    /in quotes/,
  ],
  ['a call in braces of three', inRule('traits: { a: ¦f(x, y, z), b: 1 }'), 'unquoted_expression', /comma/],
  [
    'a call in the braces of the rule',
    inRule('{ traits: ¦merge(user, answers), stop: true }'),
    'unquoted_expression',
    /comma/,
  ],
  ['a quoted text in front', inRule('drop: [a]', 'when: "nps" ¦in answers'), 'yaml_syntax', /other kind/],
  ['a negation', inRule('drop: [a]', 'when: ¦!answers.done'), 'yaml_syntax', /`!`/],
  ['a map of CEL', inRule('traits: { a: ¦{ "x": 1 } }'), 'wrong_type', /in quotes/],
  ['a list of CEL', inRule('traits: { a: ¦[1, 2] }'), 'wrong_type', /in quotes/],
  ['a list for traits', inRule('traits: ¦[a]'), 'wrong_type', /mapping of names to CEL/],
  ['no expression', inRule('traits: { ¦a: }'), 'empty_value', /CEL expression/],
  ['the same trait twice', inRule('traits: { a: 1, ¦a: 2 }'), 'duplicate_key', /`a`/],
  ['a number for an event', inRule('event: ¦5'), 'wrong_type', /quotes/],
  ['a # in a text', inRule('drop: [a]', 'when: survey.name == ¦"a #1"'), 'expression_syntax', /is a comment/],
  [
    'texts in a call in braces',
    inRule('traits: { a: default(user.id, "none"¦) }'),
    'yaml_syntax',
    /in quotes/,
  ],
  ['no calls of the spec', inRule('calls: [¦page]'), 'not_one_of', /identify/],
  [
    'properties of an identify',
    inRule('emit: { type: identify, ¦properties: { a: 1 } }'),
    'rule_conflict',
    /traits/,
  ],
  [
    'a message ID in the further fields',
    inRule('emit: { type: track, event: A, fields: { a: "1", ¦messageId: user.id } }'),
    'rule_conflict',
    /made from the interaction/,
  ],
  [
    'an answer moved to a place',
    inRule('rename: { a: b, nps: ¦traits.score }'),
    'rule_conflict',
    /everywhere/,
  ],
  ['a trait moved to a property', inRule('rename: { traits.a: ¦properties.a }'), 'rule_conflict', /drop/],
  ['a message without a type', inRule('¦emit: { event: A }'), 'missing_key', /type/],
]

test('what is doubtful about rules that have a mistake is not told', () => {
  const { text } = unmarked(inRule('drop: [a]', 'when: answers.nps == 9', 'on_error: ¦perhaps'))
  const result = read(text)
  expect([result.ok, ...result.warnings.map(({ code }) => code)]).toEqual([false])
  expect(read(text.replace('perhaps', 'dead')).warnings.map(({ code }) => code)).toEqual(['text_and_number'])
})

test('for Refiner a bare name may get the place that it has anyway', () => {
  const rules = (rename: string) =>
    tenantFile([REFINER, SEGMENT, `to_refiner: { mapping: [{ rename: { ${rename} } }] }`])
  expect(read(rules('plan: traits.subscription')).ok).toBe(true)
  expect(mistakesOf(rules('traits.plan: group_traits.plan')).map(({ code }) => code)).toEqual([
    'rule_conflict',
  ])
})

test('a doubt about a rule with a variable says what it is, and nothing of the variable', () => {
  const rule = `    - traits: { a: 'hash(user.id, "\${KEY}")' }`
  const file = tenantFile([REFINER, SEGMENT, 'to_segment:', '  mapping:', rule, rule])
  const result = read(file, { KEY: 'key-of-the-house' })
  expect(result.ok && result.warnings.map(({ code, message }) => `${code}: ${message}`)).toEqual([
    'written_twice: `traits.a`: `a` is written by the rule `#1` as well; where both apply, this one counts',
  ])
})

describe('a rule that YAML reads as something else is told with what would be right', () => {
  test.each(YAML)('%s', (_, file, code, says) => {
    const { text, line, column } = unmarked(file)
    const mistakes = mistakesOf(text)
    expect(mistakes.map((it) => `${it.code} ${it.line}:${it.column}`)).toEqual([`${code} ${line}:${column}`])
    expect(formatMistake(mistakes[0]!)).toMatch(says)
  })
})

test('the line of a block is shown with Windows line ends and spaces at its end, too', () => {
  const text = inRule('drop: [a]', 'when: |', '  survey.name == "a"  ', '    && anwsers ').replaceAll(
    '\n',
    '\r\n',
  )
  expect(mistakesOf(text).map(({ excerpt }) => excerpt?.trim())).toEqual(['&& anwsers'])
})

test('a name of the user may hold any sign', () => {
  const text = inRule('traits: { a/b~c: [1], "d e": anwsers }', 'rename: { "x.y": z }')
  expect(mistakesOf(text).map(({ code, column }) => `${code} ${column}`)).toEqual([
    'wrong_type 28',
    'unknown_variable 40',
  ])
})

test('a name of the user is no unknown key', () => {
  const text = inRule(
    'traits: { naem: 1, tenants: 2 }',
    'rename: { whatever: else }',
    'cast: { evnet: number }',
  )
  expect(read(text)).toMatchObject({ ok: true, warnings: [] })
})
