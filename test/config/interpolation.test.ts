import { describe, expect, test } from 'bun:test'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readConfiguration } from '../../src/config/load.ts'
import type { MistakeCode } from '../../src/config/mistake.ts'
import { accepted, mistakesOf, REFINER, SEGMENT, tenantFile, unmarked } from './marked-file.ts'
import { temporaryFolder } from './temporary-folder.ts'

/** The host setting, as any text that takes references. */
function hostOf(value: string, environment: Record<string, string>): string {
  const text = tenantFile([REFINER, SEGMENT], [`server: { host: '${value}' }`])
  return accepted(text, environment).configuration.server.host
}

describe('${NAME} stands for an environment variable', () => {
  test.each([
    ['${A}', 'one'],
    ['x${A}y', 'xoney'],
    ['${A}-${B}-${A}', 'one-two-one'],
    ['$${A}', '${A}'],
    ['$${A} ${A}', '${A} one'],
    ['$A $ {A}', '$A $ {A}'],
    ['${C}', '${A}'],
  ])('%s is %s', (written, meant) => {
    expect(hostOf(written, { A: 'one', B: 'two', C: '${A}' })).toBe(meant)
  })

  test('in any text: in lists, in event names, unquoted', () => {
    const segment = 'segment: { write_key: k, destination_keys: ["${A}"], rate_limit: "${RATE}" }'
    const text = tenantFile([REFINER, segment, 'to_segment:', '  events:', '    seen: Saw ${A}'])
    const { configuration } = accepted(text, { A: 'one', RATE: '600/m' })
    const acme = configuration.tenants.get('acme')
    expect(acme?.segment.destinationKeys).toEqual(['one'])
    expect(acme?.segment.requestsPerSecond).toBe(10)
    expect(acme?.toSegment.events.seen).toBe('Saw one')
  })

  test('where a number or a boolean stands, text that reads as one becomes one', () => {
    const text = tenantFile([REFINER, SEGMENT, 'enabled: "${ON}"'], ['server: { port: "${PORT}" }'])
    const { configuration } = accepted(text, { ON: 'false', PORT: '4000' })
    expect(configuration.server.port).toBe(4000)
    expect(configuration.tenants.get('acme')?.enabled).toBe(false)
  })

  test('where a text stands, digits stay text', () => {
    const text = tenantFile([REFINER, 'segment: { write_key: "${KEY}", shared_secret: s }'])
    expect(accepted(text, { KEY: '0012' }).configuration.tenants.get('acme')?.segment.writeKey).toBe('0012')
  })
})

describe('a reference that cannot be replaced is a mistake that names it', () => {
  test.each<[what: string, value: string, code: MistakeCode, says: RegExp]>([
    ['not set', '¦"${ACME_KEY}"', 'missing_variable', /`ACME_KEY` is not set/],
    ['not set, unquoted', '¦${ACME_KEY}', 'missing_variable', /`ACME_KEY` is not set/],
    ['misspelled', '¦"${ACME_WIRTE_KEY}"', 'missing_variable', /mean `ACME_WRITE_KEY`/],
    ['a name that every object has', '¦"${constructor}"', 'missing_variable', /`constructor`/],
    [
      'set but empty',
      '¦"${EMPTY}"',
      'empty_value',
      /write_key` is empty.* the environment variable `EMPTY` is set but empty$/,
    ],
    ['unclosed', '¦"${ACME_KEY"', 'bad_reference', /never closed/],
    ['nameless', '¦"${}"', 'bad_reference', /names nothing/],
    ['a bad name', '¦"${acme key}"', 'bad_reference', /no name/],
    ['with a default', '¦"${ACME_KEY:-x}"', 'bad_reference', /no default/],
    ['a missing file', '¦"${file:/nope/key}"', 'unreadable_secret_file', /`\/nope\/key`: no such file/],
    ['a folder', '¦"${file:/}"', 'unreadable_secret_file', /folder/],
    ['a device', '¦"${file:/dev/zero}"', 'unreadable_secret_file', /not a regular file/],
    ['no file', '¦"${file:}"', 'bad_reference', /names no file/],
    ['a line break inside', '¦"${LINES}"', 'bad_secret', /line break.*\$\{LINES\}/],
  ])('%s', (_, value, code, says) => {
    const file = unmarked(tenantFile([REFINER, 'segment:', '  shared_secret: s', `  write_key: ${value}`]))
    const mistakes = mistakesOf(file.text, { EMPTY: '', ACME_WRITE_KEY: 'x', LINES: 'a\nb' })
    expect(mistakes.map((it) => [it.code, it.line, it.column])).toEqual([[code, file.line, file.column]])
    expect(`${mistakes[0]?.message} ${mistakes[0]?.hint}`).toMatch(says)
  })

  test('each of several in one text is told', () => {
    const text = tenantFile([REFINER, 'segment: { shared_secret: s, write_key: "${ONE}${TWO}" }'])
    expect(mistakesOf(text).map(({ message }) => message)).toEqual([
      'environment variable `ONE` is not set',
      'environment variable `TWO` is not set',
    ])
  })

  test('a value of the wrong kind names the variable, not its content', () => {
    const text = tenantFile([REFINER, SEGMENT], ['server: { port: "${PORT}" }'])
    const [mistake] = mistakesOf(text, { PORT: 'eighty' })
    expect(mistake?.code).toBe('wrong_type')
    expect(mistake?.hint).toContain('${PORT}')
    expect(JSON.stringify(mistake)).not.toContain('eighty')
  })
})

describe('${file:PATH} stands for the content of a file', () => {
  test.each([
    ['without its last line break', 'secret\n', 'secret'],
    ['without its last line break of Windows', 'secret\r\n', 'secret'],
    ['as it is', 'secret', 'secret'],
  ])('%s', (_, content, secret) => {
    using folder = temporaryFolder()
    writeFileSync(join(folder.path, 'write-key'), content)
    const text = tenantFile([REFINER, 'segment: { shared_secret: s, write_key: "${file:./write-key}" }'])
    const loaded = readConfiguration({ file: join(folder.path, 'refiner-sync.yaml'), text, environment: {} })
    expect(loaded.ok && loaded.configuration.tenants.get('acme')?.segment.writeKey).toBe(secret)
  })

  test('only one line break is removed: a second one is a mistake, not a key that never matches', () => {
    using folder = temporaryFolder()
    writeFileSync(join(folder.path, 'write-key'), 'secret\n\n')
    const text = tenantFile([REFINER, 'segment: { shared_secret: s, write_key: "${file:write-key}" }'])
    const loaded = readConfiguration({ file: join(folder.path, 'refiner-sync.yaml'), text, environment: {} })
    expect(!loaded.ok && loaded.mistakes.map(({ code }) => code)).toEqual(['bad_secret'])
  })
})
