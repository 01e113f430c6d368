import { describe, expect, test } from 'bun:test'
import { accepted, type Broken, mistakesOf, REFINER, SEGMENT, tenantFile, unmarked } from './marked-file.ts'

const YAML: readonly Broken[] = [
  ['nothing', '¦', 'empty_file', /empty/],
  ['only a comment', '¦# soon\n', 'empty_file', /empty/],
  ['a list', '¦- tenants\n', 'not_a_mapping', /mapping/],
  ['a word', '¦tenants\n', 'not_a_mapping', /mapping/],
  ['an unclosed quote', tenantFile(['segment:', '  write_key: ¦"abc']), 'yaml_syntax', /never closed/],
  ['text after a quote', tenantFile(['segment:', `  write_key: 'it'¦s'`]), 'yaml_syntax', /quotes/],
  ['an unclosed brace', `tenants: { acme: { enabled: true }¦`, 'yaml_syntax', /not closed/],
  ['a tab', 'tenants:\n¦\tacme: {}\n', 'yaml_syntax', /tab/],
  ['a value that starts with @', tenantFile(['segment:', '  write_key: ¦@abc']), 'yaml_syntax', /quotes/],
  ['a tag', tenantFile(['segment:', '  write_key: ¦!abc def']), 'yaml_syntax', /tag/],
  ['an unknown directive', '¦%FOO\n---\ntenants: {}\n', 'yaml_syntax', /directive/],
  ['a list item beside its key', 'server: ¦- b\n', 'yaml_syntax', /cannot stand/],
  ['a second document', 'tenants: {}\n¦---\ntenants: {}\n', 'yaml_syntax', /second/],
  [
    'too few spaces',
    `tenants:\n  acme:\n    ${REFINER}\n   ¦${SEGMENT}\n`,
    'yaml_syntax',
    /wrong indentation.*expected 2 or 4, found 3/,
  ],
  [
    'too many spaces',
    tenantFile([REFINER, 'segment:', '  write_key: k', '    ¦destination_keys: [d]', '  region: us']),
    'yaml_syntax',
    /wrong indentation.*expected 6, found 8/,
  ],
  [
    'too many spaces after quotes',
    tenantFile([REFINER, 'segment:', '  write_key: "k"', '   ¦destination_keys: [d]', '  region: us']),
    'yaml_syntax',
    /expected 6, found 7/,
  ],
  [
    'wrong indentation, after which right lines look wrong',
    `tenants:\n  acme:\n    ${REFINER}\n   ¦segment:\n      write_key: k\n    to_segment:\n      enabled: false\n`,
    'yaml_syntax',
    /expected 2 or 4, found 3/,
  ],
  [
    'several lines at the same wrong column',
    'server:\n  port: 1\n ¦host: x\n max_body: 1MB\ntenants: {}\n',
    'yaml_syntax',
    /expected 0 or 2, found 1/,
  ],
  [
    'a wrong line behind an empty one and a comment',
    `tenants:\n  acme:\n    ${REFINER}\n\n    # Segment\n\n     ¦${SEGMENT}\n`,
    'yaml_syntax',
    /expected 4, found 5/,
  ],
  [
    'an item of a list at a wrong column',
    tenantFile(['segment:', '  destination_keys:', '    - a', '   ¦- b', '  write_key: k']),
    'yaml_syntax',
    /expected 8, found 7/,
  ],
  [
    'an indented first line',
    ` ¦server:\n  port: 1\n${tenantFile([REFINER, SEGMENT])}`,
    'yaml_syntax',
    /beginning of the line/,
  ],
  ['a lost space', tenantFile(['segment:', '  region: us', '  ¦write_key:abc']), 'yaml_syntax', /space/],
  ['an alias of nothing', tenantFile([SEGMENT, REFINER, 'enabled: ¦*nothing']), 'unknown_alias', /anchor/],
  [
    'an alias of itself',
    tenantFile([SEGMENT, 'refiner: &r', '  webhook: ¦*r']),
    'yaml_too_complex',
    /itself|inside/,
  ],
  ['a key that is a list', `${tenantFile([REFINER, SEGMENT])}¦[a, b]: c\n`, 'bad_key', /key/],
  [
    'the same key twice',
    tenantFile([REFINER, SEGMENT, '¦refiner: {}']),
    'duplicate_key',
    /`refiner` is given twice.*first in line 3/,
  ],
  ['a merge key', tenantFile([REFINER, SEGMENT, '¦<<: { enabled: true }']), 'unknown_key', /merge keys/],
  [
    'a value over two lines',
    tenantFile([REFINER, SEGMENT, 'to_segment:', '  trait_prefix: ¦abc', '    enabled:false']),
    'multiline_value',
    /next line/,
  ],
]

describe('a mistake of YAML is told once, where it is, with what would be right', () => {
  test.each(YAML)('%s', (_what, file, code, says) => {
    const { text, line, column } = unmarked(file)
    const mistakes = mistakesOf(text)
    expect(mistakes.map((mistake) => [mistake.code, mistake.line, mistake.column])).toEqual([
      [code, line, column],
    ])
    expect(`${mistakes[0]?.message} ${mistakes[0]?.hint}`).toMatch(says)
  })
})

describe('a `${…}` without quotes inside braces or brackets is told once, with nothing that follows from it', () => {
  const AFTER = ['segment:', '  write_key: k', '  destination_keys: [d]', 'to_refiner:', '  enabled: true']

  test.each<[what: string, setting: string, hint: string]>([
    ['as a value', 'refiner: { webhook: { secret: ¦${X}, in: bearer } }', "quote it: `'${X}'`"],
    ['of a file', 'refiner: { api_key: ¦${file:/run/key} }', "quote it: `'${file:/run/key}'`"],
    ['as an item', 'to_segment: { surveys: { include: [¦${X}] } }', "quote it: `'${X}'`"],
    [
      'as a part',
      'refiner: { endpoint: https://¦${X}/v1 }',
      'put the whole value that it is part of in quotes',
    ],
  ])('%s', (_, setting, hint) => {
    const { text, line, column } = unmarked(tenantFile([setting, ...AFTER]))
    expect(mistakesOf(text).map((it) => [it.code, it.line, it.column, it.hint])).toEqual([
      ['yaml_syntax', line, column, hint],
    ])
  })

  test('each of several is told, and other mistakes of YAML beside them', () => {
    const text = tenantFile([
      'refiner: { api_key: ${A} }',
      'segment: { write_key: k, destination_keys: [${B}, ${C}] }',
      ' enabled: true',
    ])
    expect(mistakesOf(text).map(({ line, hint }) => `${line} ${hint}`)).toEqual([
      "3 quote it: `'${A}'`",
      "4 quote it: `'${B}'`",
      "4 quote it: `'${C}'`",
      '5 spaces before it: expected 4, found 5',
    ])
  })
})

test('the hint for an empty file is a file that works', () => {
  const [mistake] = mistakesOf('')
  const [, file] = /`(.+)`$/.exec(mistake!.hint!)!
  expect(accepted(file!).warnings).toEqual([])
})

test('a bomb of aliases is refused before it goes off', () => {
  const levels = Array.from({ length: 9 }, (_, level) => {
    const items = Array.from({ length: 10 }, () => (level === 0 ? 'x' : `*l${level - 1}`))
    return `  l${level}: &l${level} { options: { list: [${items.join(', ')}] } }`
  })
  // A thousand million texts: nothing that reads them all comes to an end here.
  const codes = mistakesOf(['plugins:', ...levels, tenantFile([REFINER, SEGMENT])].join('\n')).map(
    ({ code }) => code,
  )
  expect(codes).toContain('yaml_too_complex')
})

test('endless nesting is refused', () => {
  const codes = (text: string) => mistakesOf(text).map(({ code }) => code)
  expect(codes(`tests: ${'['.repeat(60)}${']'.repeat(60)}\n${tenantFile([REFINER, SEGMENT])}`)).toEqual([
    'yaml_too_complex',
  ])
  expect(codes(`tests: ${'['.repeat(20_000)}`)).not.toEqual([])
})

test('one alias as a whole value shares settings between tenants', () => {
  const text = `${tenantFile([`refiner: &r { api_key: k, webhook: { secret: w } }`, SEGMENT])}  beta:
    refiner: *r
    segment: { write_key: k, shared_secret: s }
`
  expect(() => mistakesOf(text)).toThrow('was expected to be refused')
})
