import { Database } from 'bun:sqlite'
import { expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openStore } from '../../src/store/open.ts'
import { databaseFault } from '../../src/store/probe.ts'

test('a lock that another process keeps is told of, also when nobody sends anything', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'refiner-sync-guard-'))
  const path = join(folder, 'test.db')
  const store = await openStore(path)
  try {
    using other = new Database(path)
    other.run('begin immediate')
    const attempt = () => store.relaxedTransaction(() => {})
    expect(attempt).toThrow('locked')
    // For a moment that is the ordinary work of a backup.
    expect(databaseFault(store, null)).toBeNull()
    for (let again = 0; again < 10; again++) expect(attempt).toThrow('locked')
    expect(databaseFault(store, null)).toContain('another process holds its lock')
    other.run('rollback')
    expect(databaseFault(store, null)).toBeNull()
    attempt()
  } finally {
    store.close()
    rmSync(folder, { recursive: true })
  }
})
