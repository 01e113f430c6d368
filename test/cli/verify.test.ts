import { closeSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'bun:test'
import { openStore } from '../../src/store/open.ts'
import { runHere } from '../support/in-process.ts'
import { type Workplace, workplace } from '../support/process.ts'
import { storeItem } from '../support/stored-rows.ts'

const PEERS = { segment: 'http://127.0.0.1:9', refiner: 'http://127.0.0.1:9' }

async function spoilt(place: Workplace, statement: string): Promise<string> {
  const path = join(place.folder, 'data', 'refiner-sync.db')
  const store = await openStore(path)
  store.transaction(() => {
    for (let index = 0; index < 300; index++)
      storeItem(
        store,
        `item-${index}`,
        1,
        [{ state: 'pending', settledAt: 0 }],
        `{"text":"${'x'.repeat(500)}"}`,
      )
  })
  store.sqlite.run('pragma foreign_keys = off')
  store.sqlite.run(statement)
  store.close()
  return path
}

test.each([
  ['deliveries that wait for ever', 'update outbox set head = 0 where id < 3', 'stuck', '2 users'],
  [
    'another order',
    `update outbox set user_key = 'item-0-0', head = 1 - (id = 1) where id < 3`,
    'order',
    '1 deliver',
  ],
  ['items that are gone', 'delete from inbox where id < 4', 'reference', '3 rows of outbox'],
  [
    'a delivery of another tenant',
    `update outbox set tenant = 'other' where id = 1`,
    'tenant',
    '1 deliveries',
  ],
  ['a newer version', `insert into kysely_migration values ('999-later', 'x')`, 'schema', '999-later'],
  ['no tables', 'drop table kysely_migration', 'schema', 'no database of refiner-sync'],
])('%s: it says so, and what to do', async (_, statement, kind, message) => {
  using place = workplace(PEERS)
  await spoilt(place, statement)
  const told = await runHere(['verify', '--json'], place.folder, {})
  expect(told.code).toBe(1)
  const { ok, problems } = JSON.parse(told.stdout) as {
    ok: boolean
    problems: { kind: string; message: string; advice: string }[]
  }
  expect([ok, problems.map((problem) => problem.kind)]).toEqual([false, expect.arrayContaining([kind])])
  expect(problems.find((problem) => problem.kind === kind)!.message).toContain(message)
  const { stdout } = await runHere(['verify'], place.folder, {})
  for (const { advice } of problems) expect(stdout).toContain(advice)
})

test('pages that are damaged, or a file that is none', async () => {
  using place = workplace(PEERS)
  const path = await spoilt(place, 'select 1')
  const file = openSync(path, 'r+')
  writeSync(file, Buffer.alloc(4096, 7), 0, 4096, 20 * 4096)
  closeSync(file)
  expect(await runHere(['verify'], place.folder, {})).toMatchObject({
    code: 1,
    stdout: expect.stringContaining('restore the latest backup'),
  })
  expect(await runHere(['verify', 'refiner-sync.yaml'], place.folder, {})).toMatchObject({ code: 1 })
  expect(await runHere(['verify', 'nowhere.db'], place.folder, {})).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('there is no file'),
  })
})

test('vacuum puts next what waited for ever, and is refused while a daemon works', async () => {
  using place = workplace(PEERS)
  const path = await spoilt(place, 'update outbox set head = 0 where id < 3')
  expect(await runHere(['vacuum'], place.folder, {})).toMatchObject({ code: 0 })
  expect(await runHere(['verify'], place.folder, {})).toMatchObject({ code: 0 })
  const store = await openStore(path)
  expect(await runHere(['vacuum'], place.folder, {})).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('in use by another refiner-sync'),
  })
  store.close()
})
