import { afterEach, beforeEach, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type InboxItem, InboxUnavailable } from '../../src/contracts/inbox.ts'
import { systemClock } from '../../src/observe/system-clock.ts'
import { GroupCommitAppender } from '../../src/store/inbox-appender.ts'
import { openStore, type Store } from '../../src/store/open.ts'

let folder: string
let store: Store
let commits: number
let appender: GroupCommitAppender
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'refiner-sync-appender-'))
  store = await openStore(join(folder, 'test.db'))
  commits = 0
  appender = new GroupCommitAppender(store, systemClock, () => {
    commits += 1
  })
})
afterEach(() => {
  store.close()
  rmSync(folder, { recursive: true })
})

const items = (from: number, count: number): InboxItem[] =>
  Array.from({ length: count }, (_, n) => ({
    tenant: 'acme',
    source: 'segment',
    dedupKey: `m-${from + n}`,
    payload: `{"n":${from + n}}`,
  }))
const kept = () => store.sqlite.query('select dedup_key from inbox order by id').values().flat()

test('requests that wait together share one commit, in order, and each is told of its own copies', async () => {
  const answers = await Promise.all([
    appender.append(items(0, 2)),
    appender.append(items(1, 2)),
    appender.append(items(5, 1)),
  ])
  expect(answers).toEqual([
    { stored: 2, duplicates: 0 },
    { stored: 1, duplicates: 1 },
    { stored: 1, duplicates: 0 },
  ])
  expect(commits).toBe(1)
  expect(kept()).toEqual(['m-0', 'm-1', 'm-2', 'm-5'])
})

test('what would wait beyond the bound is refused at once, and what waits is kept', async () => {
  const first = appender.append(items(0, 20_000))
  await expect(appender.append(items(20_000, 1))).rejects.toBeInstanceOf(InboxUnavailable)
  expect(await first).toEqual({ stored: 20_000, duplicates: 0 })
  expect(await appender.append(items(20_000, 1))).toEqual({ stored: 1, duplicates: 0 })
})

test('when one of a group is refused by the tables none of it is kept, and all are told', async () => {
  store.sqlite.run(`create trigger refuse before insert on inbox when new.dedup_key = 'm-9'
    begin select raise(abort, 'no'); end`)
  const group = await Promise.allSettled([appender.append(items(0, 3)), appender.append(items(9, 1))])
  expect(group.map((one) => one.status === 'rejected' && one.reason instanceof InboxUnavailable)).toEqual([
    true,
    true,
  ])
  expect(kept()).toEqual([])
  expect(appender.lastFailure).toContain('no')
  await appender.append(items(0, 3))
  expect(appender.lastFailure).toBeNull()
})

test('a close keeps what waits and takes nothing more', async () => {
  const waiting = appender.append(items(0, 3))
  appender.close()
  expect(await waiting).toEqual({ stored: 3, duplicates: 0 })
  await expect(appender.append(items(3, 1))).rejects.toBeInstanceOf(InboxUnavailable)
})
