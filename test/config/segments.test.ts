import { describe, expect, test } from 'bun:test'
import { accepted, type Broken, mistakesOf, REFINER, SEGMENT, tenantFile, unmarked } from './marked-file.ts'

const segment = (...lines: string[]) =>
  tenantFile([REFINER, SEGMENT, 'segments:', '  - name: promoters', ...lines.map((line) => `    ${line}`)])

const BROKEN: readonly Broken[] = [
  [
    'no condition',
    tenantFile([REFINER, SEGMENT, 'segments:', '  - ¦name: promoters']),
    'missing_key',
    /when/,
  ],
  ['an unknown variable', segment('when: ¦answer.nps == "9"'), 'unknown_variable', /did you mean `answers`/],
  ['an unknown field', segment('when: account.¦plan == "pro"'), 'unknown_field', /its fields are id, traits/],
  ['a field of an event', segment('when: events["A"].¦cout > 1'), 'unknown_field', /did you mean `count`/],
  ['the present moment', segment('when: events["A"].last > ¦now'), 'unknown_variable', /not as time goes by/],
  ['no condition but a text', segment('when: ¦user.email'), 'expression_type', /true or false/],
  ['broken CEL', segment('when: traits.plan ¦= "pro"'), 'expression_syntax', /write `==`/],
  [
    'two of one name',
    segment('when: "true"', '').replace(/\s+$/, '\n      - { name: ¦promoters, when: "true" }\n'),
    'duplicate_segment',
    /a name of its own/,
  ],
  [
    'two of one segment of Refiner',
    segment('when: "true"', 'refiner_segment: uuid-1').replace(
      /\s+$/,
      '\n      - { name: others, when: "true", refiner_segment: ¦uuid-1 }\n',
    ),
    'duplicate_segment',
    /in turn/,
  ],
  [
    'two of one trait',
    segment('when: "true"', 'to_segment: { trait: is_it }').replace(
      /\s+$/,
      '\n      - { name: others, when: "true", to_segment: { trait: ¦is_it } }\n',
    ),
    'duplicate_segment',
    /a trait of its own/,
  ],
  [
    'nobody to tell',
    tenantFile([
      'refiner: { webhook: { secret: w } }',
      SEGMENT,
      'to_refiner: { enabled: false }',
      'segments: [{ name: a, when: "true", ¦refiner_segment: uuid-1 }]',
    ]),
    'missing_key',
    /needs `tenants\.acme\.refiner\.api_key`/,
  ],
  ['a wrong key', segment('when: "true"', '¦refiner_segmnt: uuid-1'), 'unknown_key', /refiner_segment/],
]

describe('a file with a mistake in a segment is refused', () => {
  test.each(BROKEN.map((one) => [...one] as const))('%s', (_what, file, code, says) => {
    const { text, line, column } = unmarked(file)
    const [mistake, ...others] = mistakesOf(text)
    expect(others).toEqual([])
    expect(mistake).toMatchObject({ code, line, column })
    expect(`${mistake!.message}\n${mistake!.hint}`).toMatch(says)
  })
})

test('a segment is what the file says, and tells nobody unless it says so', () => {
  const file = segment(
    'when: int(answers.nps) >= 9',
    'refiner_segment: uuid-1',
    'to_segment: { trait: is_promoter, entered: In, left: Out }',
  )
  const two = file.replace(/\s+$/, '\n      - { name: all, when: "true" }\n')
  expect(accepted(two).configuration.tenants.get('acme')!.segments).toEqual([
    {
      name: 'promoters',
      condition: 'int(answers.nps) >= 9',
      refinerSegment: 'uuid-1',
      trait: 'is_promoter',
      enteredEvent: 'In',
      leftEvent: 'Out',
    },
    {
      name: 'all',
      condition: 'true',
      refinerSegment: null,
      trait: null,
      enteredEvent: null,
      leftEvent: null,
    },
  ])
})

test('a condition that holds for nobody is warned of', () => {
  const { warnings } = accepted(segment('when: answers.nps >= 9', 'to_segment: {}'))
  expect(warnings.map(({ code }) => code)).toEqual(['text_and_number', 'no_effect'])
})
