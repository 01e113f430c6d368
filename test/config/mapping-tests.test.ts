import { describe, expect, test } from 'bun:test'
import { basename, join } from 'node:path'
import { loadTestFiles, readTestFile } from '../../src/config/test-files.ts'
import { accepted, mistakesOf, REFINER, SEGMENT, tenantFile, unmarked } from './marked-file.ts'
import { productFolder } from './product-folder.ts'

function readTests(text: string, tenants: readonly string[] = ['acme']) {
  return readTestFile({ file: 'no-such-folder/some.yaml', text, environment: { WHO: 'u1' }, tenants })
}

test('a test that says little gets every default, an inline input is what it is', () => {
  const text = `tests:
  - name: one
    input: { triggered_event: Completed Survey, remote_id: "\${WHO}", response: { data: { id: 12345678901234567890 } } }
    expect: [{ type: track }]
`
  expect(readTests(text)).toEqual({
    tests: [
      {
        name: 'one',
        place: 'no-such-folder/some.yaml:2:5',
        tenant: null,
        input: {
          kind: 'inline',
          body: {
            triggered_event: 'Completed Survey',
            remote_id: 'u1',
            response: { data: { id: '12345678901234567890' } },
          },
        },
        expect: [{ type: 'track' }],
        exact: false,
        expectSkip: null,
        expectError: null,
      },
    ],
    mistakes: [],
    warnings: [],
    files: [join(process.cwd(), 'no-such-folder/some.yaml')],
  })
})

test('an input below `body`, any reason, and a part of one', () => {
  const { tests } = readTests(`tests:
  - { name: a, input: { body: { file: x } }, expect_skip: true, expect_error: false }
  - { name: b, tenant: acme, input: { file: x, type: track }, expect_error: no date }
  - { name: c, input: { type: track }, expect: [], exact: true }
`)
  expect(tests).toMatchObject([
    { input: { kind: 'inline', body: { file: 'x' } }, expectSkip: '', expectError: null, expect: null },
    { input: { kind: 'inline', body: { file: 'x', type: 'track' } }, expectError: 'no date', tenant: 'acme' },
    { expect: [], exact: true },
  ])
})

test('tests of the configuration itself', () => {
  const { configuration } = accepted(
    tenantFile([REFINER, SEGMENT], ['tests: [{ name: a, input: { type: track }, expect_skip: x }]']),
  )
  expect(configuration.tests).toMatchObject([{ name: 'a', expectSkip: 'x' }])
})

describe('mistakes', () => {
  test.each([
    ['tests: [{ ¦input: { a: 1 }, expect: [] }]', 'missing_key'],
    ['tests: [{ ¦name: a, expect: [] }]', 'missing_key'],
    ['tests: [{ name: a, input: ¦[1], expect: [] }]', 'wrong_type'],
    ['tests: [{ name: a, input: ¦{}, expect: [] }]', 'empty_value'],
    ['tests: [{ name: a, input: { a: 1 }, expect: ¦{ type: track } }]', 'wrong_type'],
    ['tests: [{ name: a, input: { a: 1 }, expect: [¦track] }]', 'wrong_type'],
    ['tests: [{ name: a, input: { a: 1, ¦a: 2 }, expect: [] }]', 'duplicate_key'],
    ['tests: [{ name: a, input: { body: ¦x }, expect: [] }]', 'wrong_type'],
    ['tests: [{ name: a, input: { file: ¦5 }, expect: [] }]', 'wrong_type'],
    ['tests: [{ name: a, input: { a: 1 }, expect_skip: ¦5 }]', 'wrong_type'],
    ['tests: [{ name: a, input: { a: 1 }, ¦expect_skpi: x, expect: [] }]', 'unknown_key'],
    ['tests: [{ ¦name: a, input: { a: 1 }, expect_skip: false }]', 'no_expectation'],
    ['tests: [{ name: a, input: { a: 1 }, expect_skip: a, ¦expect_error: b }]', 'expectation_conflict'],
    ['tests: [{ name: a, tenant: ¦amce, input: { a: 1 }, expect: [] }]', 'unknown_tenant'],
    ['¦test: []', 'unknown_key'],
    ['tests: [{ name: a, input: { a: "¦${NOT_SET}" }, expect: [] }]'.replace('"¦', '¦"'), 'missing_variable'],
  ])('%s', (file, code) => {
    const { text, line, column } = unmarked(
      file.startsWith('tests: [{ ¦') ? file.replace('{ ¦', '¦{ ') : file,
    )
    const { tests, mistakes } = readTests(text)
    expect(mistakes.map((it) => `${it.code} ${it.line}:${it.column}`)).toEqual([`${code} ${line}:${column}`])
    expect(tests).toEqual([])
  })

  test('a test must say which of several tenants it is about', () => {
    const { mistakes } = readTests('tests: [{ name: a, input: { a: 1 }, expect: [] }]', ['acme', 'beta'])
    expect(mistakes.map(({ code, hint }) => `${code}: ${hint}`)).toEqual([
      'missing_key: the tenants are acme, beta',
    ])
  })

  test('a tenant with a mistake of its own is no unknown one', () => {
    const text = tenantFile(
      ['refnier: {}'],
      ['tests: [{ name: a, tenant: acme, input: { a: 1 }, expect: [] }]'],
    )
    expect(mistakesOf(text).map(({ code }) => code)).not.toContain('unknown_tenant')
  })
})

describe('files of tests', () => {
  const ONE = 'tests: [{ name: one, input: { file: ../samples/nps.json }, expect: [] }]'

  function load(files: Readonly<Record<string, string>>, names: readonly string[] | null = null) {
    using folder = productFolder(files)
    const text = tenantFile([REFINER, SEGMENT])
    const paths = names?.map((name) => join(folder.path, name)) ?? null
    const { configuration } = accepted(text)
    return {
      folder: folder.path,
      ...loadTestFiles(join(folder.path, 'refiner-sync.yaml'), paths, {}, configuration),
    }
  }

  test('those beside the configuration are read by name', () => {
    const { tests, mistakes, folder } = load({
      'config/tests/b.yaml': ONE.replace('one', 'two'),
      'config/tests/a.yaml': ONE,
      'config/tests/notes.txt': 'tests: 1',
    })
    expect(mistakes).toEqual([])
    expect(tests.map(({ name }) => name)).toEqual(['one', 'two'])
    expect(tests[0]?.input).toEqual({ kind: 'file', path: join(folder, 'config/samples/nps.json') })
  })

  test('none are there', () => {
    expect(load({})).toMatchObject({ tests: [], mistakes: [], files: [] })
  })

  test('a folder that is none', () => {
    const { mistakes, tests } = load({ 'config/tests': '' })
    expect(mistakes.map(({ code, file }) => `${code} ${basename(file)}`)).toEqual(['file_unreadable tests'])
    expect(tests).toEqual([])
  })

  test('only those that are named', () => {
    const files = { 'config/tests/a.yaml': 'broken: 1', 'other/b.yaml': ONE.replace('../', '../config/') }
    expect(load(files, ['other/b.yaml']).tests.map(({ name }) => name)).toEqual(['one'])
  })

  test('a mistake in one, and one that is not there', () => {
    const { tests, mistakes } = load({ 'a.yaml': 'tests: []', 'b.yaml': 'nonsense: 1' }, [
      'a.yaml',
      'b.yaml',
      'c.yaml',
    ])
    expect(tests).toEqual([])
    expect(mistakes.map(({ code }) => code)).toEqual(['unknown_key', 'missing_key', 'file_unreadable'])
  })
})

test('an input that is not there is only warned of: the daemon needs no samples', () => {
  const { warnings } = accepted(
    tenantFile([REFINER, SEGMENT], ['tests: [{ name: a, input: { file: none.json }, expect: [] }]']),
  )
  expect(warnings.map(({ code }) => code)).toEqual(['input_unreadable'])
})
