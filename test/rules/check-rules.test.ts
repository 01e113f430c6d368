import { describe, expect, test } from 'bun:test'
import type { RuleProblemCode } from '../../src/contracts/rules.ts'
import { checkRules } from '../../src/rules/check-rules.ts'
import { eventRule, fields, interactionRule, map } from '../support/rules.ts'

const inSegment = (...rules: Parameters<typeof interactionRule>[0][]) =>
  checkRules({ direction: 'to_segment', rules: rules.map((rule) => interactionRule(rule)) })

/** A condition with `¦` where it is wrong, the code, and a part of what is said. */
const CONDITIONS: readonly [string, RuleProblemCode, RegExp][] = [
  ['survey.name == ¦', 'expression_syntax', /ends too early/],
  ['survey.name ¦= "x"', 'expression_syntax', /==/],
  ['survey.¦nmae == "x"', 'unknown_field', /`name`/],
  ['¦surveys.name == "x"', 'unknown_variable', /`survey`/],
  ['true && ¦nonsense', 'unknown_variable', /survey, response, answers/],
  ['¦survey.name', 'expression_type', /true or false.*compare/],
  ['¦survey.name > 3', 'expression_type', /string > int/],
  ['¦lower(3) == "a"', 'expression_type', /lower/],
  ['¦lowre("A") == "a"', 'unknown_function', /`lower`/],
  ['survey.name.matches(¦"a(")', 'bad_regular_expression', /missing closing/],
  ['survey.name.matches(¦"(?=x)")', 'bad_regular_expression', /RE2/],
  ['survey.name.¦startWith("x")', 'unknown_function', /`startsWith`/],
  ['(survey.name == "x"¦', 'expression_syntax', /`\)` is needed, not the end/],
  ['survey.name == "x" ¦or true', 'expression_syntax', /\|\|/],
  ['answers.why-¦not == 1', 'unknown_variable', /answers\["why-not"\]/],
  ['¦in app survey', 'expression_syntax', /if this is a text/],
  ['app ¦survey', 'expression_syntax', /if this is a text/],
  ['¦nps in answers', 'unknown_variable', /`"nps" in answers`/],
  ['nps_category(answers.nps) == ¦promoter', 'unknown_variable', /`"promoter"`/],
  ['¦', 'expression_syntax', /empty/],
]

test('an expression is read in the time of its length, and refused where it is too long', () => {
  const before = process.cpuUsage()
  expect(inSegment({ when: Array(1900).fill('"nps" in answers').join(' && '), drop: ['a'] })).toEqual([])
  const tooLong = [
    Array(5000).fill('"nps" in answers').join(' && '),
    `${'!'.repeat(5000)}("nps" in answers)`,
    `${Array(45_000).fill('1').join('+')} == 1`,
  ]
  for (const when of tooLong) {
    expect(inSegment({ when, drop: ['a'] })).toMatchObject([
      { code: 'expression_syntax', path: ['when'], message: 'the expression is too long' },
    ])
  }
  // A reload reads it on the thread that answers webhooks; quadratic time would take several seconds. Those that
  // others take on the same cores are not counted.
  expect(process.cpuUsage(before).user / 1e6).toBeLessThan(3)
})

test.each(['__proto__', 'constructor', 'prototype'])(
  'a map that would lose its name %s is refused',
  (name) => {
    const problems = inSegment({ properties: map(`{"a": {"b": 1, "${name}": 2}}`) })
    expect(problems).toMatchObject([{ code: 'expression_type', at: 15, severity: 'error' }])
    expect(problems[0]!.message).toContain(name)
    // As names of the rule itself they are like any other.
    expect(inSegment({ properties: { kind: 'fields', fields: [[name, '2']] } })).toEqual([])
  },
)

describe('a condition that is wrong is told of where it is wrong', () => {
  test.each(CONDITIONS)('%s', (marked, code, says) => {
    const problems = inSegment({ when: marked.replace('¦', '') })
    expect(problems).toMatchObject([
      { code, severity: 'error', rule: 0, path: ['when'], at: marked.indexOf('¦') },
    ])
    expect(`${problems[0]!.message} ${problems[0]!.hint}`).toMatch(says)
  })
})

test('every expression of a rule is checked, and named by the keys of the file', () => {
  const bad = 'nowhere'
  const problems = inSegment(
    {},
    {
      name: 'all',
      when: bad,
      event: `A {{ ${bad} }}`,
      traits: fields({ a: bad }),
      properties: map(bad),
      groupTraits: fields({ b: bad }),
      context: fields({ c: bad }),
      emit: {
        type: 'track',
        event: `{{ ${bad} }}`,
        userId: bad,
        groupId: bad,
        timestamp: bad,
        traits: map(bad),
        properties: fields({ d: bad }),
        context: null,
        fields: fields({ e: bad }),
      },
    },
  )
  expect(new Set(problems.map(({ path }) => path.join('.')))).toEqual(
    new Set([
      'when',
      'event',
      'traits.a',
      'properties',
      'group_traits.b',
      'context.c',
      'emit.event',
      'emit.user_id',
      'emit.group_id',
      'emit.timestamp',
      'emit.traits',
      'emit.properties.d',
      'emit.fields.e',
    ]),
  )
  expect(problems.every(({ rule, code }) => rule === 1 && code === 'unknown_variable')).toBe(true)
})

test('a word that stands alone is told that texts need quotes', () => {
  expect(inSegment({ traits: fields({ source: 'mobile' }) })[0]!.hint).toContain(`'"mobile"'`)
})

describe('templates', () => {
  test('point into their expression', () => {
    expect(inSegment({ event: 'Survey {{ survey.nmae }} done' })).toMatchObject([
      { code: 'unknown_field', path: ['event'], at: 'Survey {{ survey.'.length },
    ])
  })

  test('that are never closed are refused where they open', () => {
    expect(inSegment({ event: 'Survey {{ survey.name' })).toMatchObject([{ code: 'bad_template', at: 7 }])
  })
})

describe('a map is needed', () => {
  test('where one expression stands for all names', () => {
    expect(inSegment({ traits: map('survey.name') })).toMatchObject([{ code: 'expression_type' }])
    expect(inSegment({ traits: map('answers') })).toEqual([])
  })
})

describe('doubts are warnings', () => {
  const codes = (...rules: Parameters<typeof interactionRule>[0][]) =>
    inSegment(...rules).map(({ code, severity, rule, at }) => ({ code, severity, rule, at }))

  test('an answer compared with a number', () => {
    expect(codes({ when: 'survey.name != "" && answers.nps == 9' })).toEqual([
      { code: 'text_and_number', severity: 'warning', rule: 0, at: 'survey.name != "" && '.length },
    ])
    expect(codes({ when: 'int(answers.nps) == 9 && answers.plan == "9"' })).toEqual([])
    for (const when of ['answers.nps >= 9', '8 < answers.nps', 'answers["nps"] * 10 > 80.0']) {
      expect(codes({ when })[0]).toMatchObject({ code: 'text_and_number', severity: 'warning' })
    }
  })

  test('a condition that never holds', () => {
    expect(codes({ when: 'survey.name == "x" && false' })[0]).toMatchObject({
      code: 'rule_never_matches',
      at: 22,
    })
    expect(codes({ when: '1 > 2' })[0]).toMatchObject({ code: 'rule_never_matches' })
    expect(codes({ when: '1 < 2' })).toEqual([])
  })

  test('a kind of interaction that there is not', () => {
    expect(codes({ when: 'interaction.kind == "complete"' })).toEqual([
      { code: 'rule_never_matches', severity: 'warning', rule: 0, at: 'interaction.kind == '.length },
    ])
    expect(codes({ when: 'interaction.kind == "completed"' })).toEqual([])
  })

  test('a rule behind one that always stops', () => {
    expect(codes({ stop: true }, {}, {}).map(({ code, rule }) => [code, rule])).toEqual([
      ['rule_never_matches', 1],
      ['rule_never_matches', 2],
    ])
    expect(codes({ stop: true, when: 'tenant == "acme"' }, {})).toEqual([])
    expect(codes({ skip: 'nothing at all' }, {})).toHaveLength(1)
  })

  test('a trait written by two rules that may both apply', () => {
    const traits = fields({ plan: '"a"' })
    expect(codes({ traits }, { traits })).toMatchObject([{ code: 'written_twice', rule: 1 }])
    expect(codes({ traits, when: 'tenant == "a"' }, { traits, when: 'tenant == "b"' })).toEqual([])
    expect(codes({ traits, when: 'tenant == "a"', stop: true }, { traits })).toEqual([])
  })
})

test('rules for Refiner know the message, and not the survey', () => {
  const check = (when: string) => checkRules({ direction: 'to_refiner', rules: [eventRule({ when })] })
  expect(check('message.event == "x" && "email" in traits')).toEqual([])
  expect(check('survey.name == "x"')).toMatchObject([{ code: 'unknown_variable' }])
})
