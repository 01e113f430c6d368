import { expect, test } from 'bun:test'
import type { RuleBase } from '../../src/contracts/rules.ts'
import { accepted, mistakesOf, REFINER, SEGMENT, tenantFile } from './marked-file.ts'

/** The rules of a tenant's only direction with rules, written below `mapping:`. */
function toSegment(...lines: string[]) {
  return accepted(mapping('to_segment', lines)).configuration.tenants.get('acme')!.toSegment.mapping
}

function mapping(direction: string, lines: readonly string[]): string {
  return tenantFile([REFINER, SEGMENT, `${direction}:`, '  mapping:', ...lines.map((line) => `    ${line}`)])
}

const NOTHING: RuleBase = {
  name: '#1',
  place: expect.stringMatching(/refiner-sync\.yaml:7:11$/),
  when: null,
  onError: 'skip_rule',
  event: null,
  traits: null,
  groupTraits: null,
  rename: [],
  drop: [],
  keep: null,
  cast: [],
  skip: null,
  stop: false,
}

test('a rule that says little gets every default', () => {
  expect(toSegment('- stop: true')).toEqual([
    { ...NOTHING, stop: true, properties: null, context: null, calls: null, emit: null },
  ])
})

test('what a rule says holds, in the order of the file', () => {
  const [rule] = toSegment(
    '- name: nps',
    '  when: \'"nps" in answers\'',
    '  on_error: dead',
    '  event: "{{ survey.name }} Submitted"',
    '  traits: { z: int(answers.nps), 2: answers.b, 1: answers.a }',
    '  group_traits: account.attributes',
    '  properties:',
    '    five: 5',
    '    block: |',
    '      int(answers.nps)',
    '        + 1',
    '  drop: [a, "b_*"]',
  )
  expect(rule).toMatchObject({
    name: 'nps',
    when: '"nps" in answers',
    onError: 'dead',
    event: '{{ survey.name }} Submitted',
    traits: {
      kind: 'fields',
      fields: [
        ['z', 'int(answers.nps)'],
        ['2', 'answers.b'],
        ['1', 'answers.a'],
      ],
    },
    groupTraits: { kind: 'map', expression: 'account.attributes' },
    properties: {
      kind: 'fields',
      fields: [
        ['five', '5'],
        ['block', 'int(answers.nps)\n  + 1\n'],
      ],
    },
    drop: ['a', 'b_*'],
  })
})

test('the rest of a rule', () => {
  const [rule] = toSegment(
    '- rename: { b: c, 1: d }',
    '  keep: [a, "b_*"]',
    '  cast: { seats: number, when: date }',
    '  calls: [track, identify]',
    '  emit:',
    '    type: track',
    '    event: NPS Submitted',
    '    user_id: user.id',
    '    group_id: account.id',
    '    timestamp: response.completed_at',
    '    properties: { score: int(answers.nps) }',
    '    context: { locale: \'"en"\' }',
    '    fields: { anonymousId: user.uuid }',
  )
  expect(rule).toMatchObject({
    rename: [
      ['b', 'c'],
      ['1', 'd'],
    ],
    keep: ['a', 'b_*'],
    cast: [
      ['seats', 'number'],
      ['when', 'date'],
    ],
    calls: ['track', 'identify'],
    emit: {
      type: 'track',
      event: 'NPS Submitted',
      userId: 'user.id',
      groupId: 'account.id',
      timestamp: 'response.completed_at',
      traits: null,
      properties: { kind: 'fields', fields: [['score', 'int(answers.nps)']] },
      context: { kind: 'fields', fields: [['locale', '"en"']] },
      fields: { kind: 'fields', fields: [['anonymousId', 'user.uuid']] },
    },
  })
})

test.each([
  ['5', '5'],
  ['1.50', '1.50'],
  ['true', 'true'],
  ['False', 'false'],
  ['1234567890123456789', '1234567890123456789'],
  ['"answers.nps"', 'answers.nps'],
  [`'"it''s"'`, `"it's"`],
])('an expression is text, however YAML reads it: %s', (written, expression) => {
  const [rule] = toSegment(`- traits: { a: ${written} }`)
  expect(rule!.traits).toEqual({ kind: 'fields', fields: [['a', expression]] })
})

test('a rule of the other direction has what both have', () => {
  const text = mapping('to_refiner', [
    '- { name: plans, rename: { plan: tier }, skip: no reason, stop: true }',
  ])
  expect(accepted(text).configuration.tenants.get('acme')!.toRefiner.mapping).toEqual([
    { ...NOTHING, name: 'plans', rename: [['plan', 'tier']], skip: 'no reason', stop: true },
  ])
})

test('rules without a name are called by their number', () => {
  const rules = toSegment('- drop: [a]', '- { name: b, drop: [b] }', '- drop: [c]')
  expect(rules.map(({ name }) => name)).toEqual(['#1', 'b', '#3'])
})

test('a name that another rule has by its number is a mistake', () => {
  const mistakes = mistakesOf(mapping('to_segment', ['- { name: "#2", drop: [a] }', '- drop: [b]']))
  expect(mistakes.map(({ code, line, column }) => `${code} ${line}:${column}`)).toEqual([
    'duplicate_rule 8:11',
  ])
})

test.each([
  ['[nps, "score_*"]', ['nps', 'score_*']],
  ['true', ['nps', 'nps_*', '*_nps']],
  ['false', []],
  ['[]', []],
])('nps: %s', (written, patterns) => {
  const text = tenantFile([
    REFINER,
    SEGMENT,
    `to_segment: { nps: ${written}, events: { question: Answered } }`,
  ])
  const { toSegment } = accepted(text).configuration.tenants.get('acme')!
  expect(toSegment.nps).toEqual(patterns)
  expect(toSegment.questionEvent).toBe('Answered')
})

test.each(['5', 'nps', '{ a: b }'])('nps: %s is a mistake', (written) => {
  const mistakes = mistakesOf(tenantFile([REFINER, SEGMENT, `to_segment: { nps: ${written} }`]))
  expect(mistakes.map(({ code, column }) => `${code} ${column}`)).toEqual(['wrong_type 24'])
  expect(mistakes[0]?.message).toContain('true, false or a list of patterns')
})
