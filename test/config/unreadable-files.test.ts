import { describe, expect, test } from 'bun:test'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { loadConfiguration, readConfiguration } from '../../src/config/load.ts'
import { formatMistake } from '../../src/config/mistake.ts'
import { REFINER, SEGMENT, tenantFile } from './marked-file.ts'
import { temporaryFolder } from './temporary-folder.ts'

function refusedWith(file: string): string[] {
  const loaded = loadConfiguration(file, {})
  return loaded.ok ? [] : loaded.mistakes.map(({ code, line, column }) => `${code} ${line}:${column}`)
}

describe('a file that cannot be read is a mistake like any other', () => {
  test('a missing one', () => {
    using folder = temporaryFolder()
    expect(refusedWith(join(folder.path, 'refiner-sync.yaml'))).toEqual(['file_unreadable 1:1'])
  })

  test('a folder', () => {
    using folder = temporaryFolder()
    expect(refusedWith(folder.path)).toEqual(['file_unreadable 1:1'])
  })

  test('a device that never ends', () => {
    expect(refusedWith('/dev/zero')).toEqual(['file_unreadable 1:1'])
  })

  test('one of more than 4 MB', () => {
    using folder = temporaryFolder()
    const file = join(folder.path, 'refiner-sync.yaml')
    writeFileSync(file, '#'.repeat(4 * 1024 * 1024 + 1))
    expect(refusedWith(file)).toEqual(['file_unreadable 1:1'])
  })

  test.each([
    ['in another encoding', new Uint8Array([0x74, 0x3a, 0x20, 0xe9, 0x0a])],
    ['with zeros, as UTF-16 has them', new Uint8Array([0xff, 0xfe, 0x74, 0x00])],
  ])('one %s', (_, bytes) => {
    using folder = temporaryFolder()
    const file = join(folder.path, 'refiner-sync.yaml')
    writeFileSync(file, bytes)
    expect(refusedWith(file)).toEqual(['file_not_text 1:1'])
  })

  test('is named as it was given and as it was looked for, with the reason and the way on', () => {
    const loaded = loadConfiguration('no/such/refiner-sync.yaml', {})
    expect(!loaded.ok && loaded.mistakes.map(formatMistake)).toEqual([
      [
        `no/such/refiner-sync.yaml:1:1: error: cannot read the configuration ${resolve('no/such/refiner-sync.yaml')}: no such file or folder`,
        '  name another with --config, or try `refiner-sync demo`',
      ].join('\n'),
    ])
  })
})

test('a byte order mark and Windows line ends change no place', () => {
  using folder = temporaryFolder()
  mkdirSync(join(folder.path, 'sub'))
  const file = join(folder.path, 'sub', 'refiner-sync.yaml')
  const text = `nonsense: 1\n${tenantFile([REFINER, SEGMENT, 'enabled: 1'])}`
  writeFileSync(file, `\uFEFF${text.replaceAll('\n', '\r\n')}`)
  expect(refusedWith(file)).toEqual(['unknown_key 1:1', 'wrong_type 6:14'])
})

test('a byte order mark in memory changes no place either', () => {
  const loaded = readConfiguration({ file: 'refiner-sync.yaml', text: '\uFEFFnonsense: 1', environment: {} })
  expect(!loaded.ok && loaded.mistakes.find(({ code }) => code === 'unknown_key')?.column).toBe(1)
})
