import { describe, expect, test } from 'bun:test'
import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readConfiguration } from '../../src/config/load.ts'
import { REFINER, SEGMENT, tenantFile, unmarked } from './marked-file.ts'
import { temporaryFolder } from './temporary-folder.ts'

function readIn(folder: string, text: string) {
  return readConfiguration({ file: join(folder, 'refiner-sync.yaml'), text, environment: {} })
}

/** Asserts that the database setting is refused at its value. */
function expectRefused(folder: string, setting: string, says: RegExp): void {
  const { text, line, column } = unmarked(tenantFile([REFINER, SEGMENT], [`database: ¦${setting}`]))
  const loaded = readIn(folder, text)
  const mistakes = loaded.ok ? [] : loaded.mistakes
  expect(mistakes.map((it) => [it.code, it.line, it.column])).toEqual([
    ['database_not_writable', line, column],
  ])
  expect(mistakes[0]?.message).toMatch(says)
}

describe('the database file', () => {
  test('may be in folders that do not exist yet; reading the configuration leaves nothing behind', () => {
    using folder = temporaryFolder()
    const loaded = readIn(folder.path, tenantFile([REFINER, SEGMENT], ['database: sqlite://a/b/c.db']))
    expect(loaded.ok && loaded.configuration.database.path).toBe(join(folder.path, 'a', 'b', 'c.db'))
    expect(readdirSync(folder.path)).toEqual([])
  })

  test('may exist, and stays as it is', async () => {
    using folder = temporaryFolder()
    writeFileSync(join(folder.path, 'x.db'), 'content')
    expect(readIn(folder.path, tenantFile([REFINER, SEGMENT], ['database: sqlite://x.db'])).ok).toBe(true)
    expect(readdirSync(folder.path)).toEqual(['x.db'])
    expect(await Bun.file(join(folder.path, 'x.db')).text()).toBe('content')
  })

  test('must not be a folder', () => {
    using folder = temporaryFolder()
    mkdirSync(join(folder.path, 'x.db'))
    expectRefused(folder.path, 'sqlite://x.db', /something else than a file/)
  })

  test('must not be a device', () => {
    using folder = temporaryFolder()
    symlinkSync('/dev/null', join(folder.path, 'x.db'))
    expectRefused(folder.path, 'sqlite://x.db', /something else than a file/)
  })

  test('must not lie below a file', () => {
    using folder = temporaryFolder()
    writeFileSync(join(folder.path, 'taken'), '')
    expectRefused(folder.path, 'sqlite://taken/sub/x.db', /not a folder/)
  })

  // Permissions do not bind root, who runs the tests in containers; /proc takes new files from nobody.
  test.skipIf(!existsSync('/proc/self'))('must be in a folder where files can really be made', () => {
    using folder = temporaryFolder()
    expectRefused(folder.path, 'sqlite:///proc/self/sub/x.db', /cannot be written: \S/)
  })
})
