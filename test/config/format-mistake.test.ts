import { expect, test } from 'bun:test'
import { formatMistake } from '../../src/config/mistake.ts'
import { readConfiguration } from '../../src/config/load.ts'
import { REFINER, SEGMENT, tenantFile } from './marked-file.ts'

/** The first mistake of a text, as it is printed. */
function printed(text: string): string[] {
  const loaded = readConfiguration({ file: 'refiner-sync.yaml', text, environment: {} })
  return loaded.ok ? [] : formatMistake(loaded.mistakes[0]!).split('\n')
}

test('a mistake is printed with its place, its line, a caret and what would be right', () => {
  expect(
    printed(tenantFile([REFINER, 'segment:', '  writeKey: abcdefgh', '  destination_keys: [d]'])),
  ).toEqual([
    'refiner-sync.yaml:5:7: error: unknown key `writeKey` in `tenants.acme.segment`',
    '  5 |       writeKey: ***',
    '    |       ^',
    '  did you mean `write_key`?',
  ])
})

test('the caret stands under the value although a mask before it is shorter than the secret', () => {
  const [, line, caret] = printed(
    tenantFile([REFINER, `segment: { write_key: ${'k'.repeat(50)}, region: uk, shared_secret: s }`]),
  )
  expect(line).toBe('  4 |     segment: { write_key: ***, region: uk, shared_secret: *** }')
  expect(caret!.indexOf('^')).toBe(line!.indexOf('uk'))
})

test('the caret stands right after wide signs and tabs', () => {
  const [, line, caret] = printed(tenantFile([REFINER, SEGMENT], ['server: { host:\t日本, port: x }']))
  expect(caret!.split('\t').length).toBe(2)
  expect(Bun.stringWidth(caret!.slice(0, caret!.indexOf('^')))).toBe(
    Bun.stringWidth(line!.slice(0, line!.indexOf('x }'))),
  )
})

test('a long line is cut to what stands around the caret', () => {
  const names = Array.from({ length: 60 }, (_, index) => `Survey ${index}`).join(', ')
  const text = tenantFile([
    REFINER,
    SEGMENT,
    `to_segment: { surveys: { include: [${names}] }, anonymous: nobody }`,
  ])
  const [, line, caret] = printed(text)
  expect(line!.length).toBeLessThan(120)
  expect(caret!.indexOf('^')).toBe(line!.indexOf('nobody'))
})

test('control characters of the file do not reach the terminal', () => {
  const lines = printed(tenantFile([REFINER, SEGMENT], ['server: { host: "\u001b[31m", port: x }']))
  expect(lines.join('')).not.toContain('\u001b')
})

test('the numbers of lines are aligned with the caret line however long they are', () => {
  const text = `${'\n'.repeat(1200)}${tenantFile([REFINER, SEGMENT, 'enabled: 1'])}`
  const [first, line, caret] = printed(text)
  expect(first).toStartWith('refiner-sync.yaml:1205:14: error:')
  expect(caret!.indexOf('^')).toBe(line!.indexOf('1', line!.indexOf('enabled')))
})

test('comments are left out, and beside an unknown key no value is shown', () => {
  const withComment = printed(tenantFile([REFINER, SEGMENT, 'enabled: 1 # port: 1']))
  expect(withComment[1]).toBe('  5 |     enabled: 1')
  const withUnknown = printed(tenantFile([REFINER, SEGMENT], ['server: { hots: x, host: localhost }']))
  expect(withUnknown[1]).toBe('  5 | server: { hots: ***, host: *** }')
})
