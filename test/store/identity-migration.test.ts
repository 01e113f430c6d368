import { Database } from 'bun:sqlite'
import { expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { emailConflicts } from '../../src/store/email-conflicts.ts'
import { identifiersOf } from '../../src/store/identities.ts'
import { migrate } from '../../src/store/migrate.ts'
import { migrations } from '../../src/store/migrations/index.ts'
import { openStore } from '../../src/store/open.ts'

test('what was known of people before is taken over', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'refiner-sync-identity-migration-'))
  using stack = new DisposableStack()
  stack.defer(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'test.db')
  const before = Object.fromEntries(Object.entries(migrations).filter(([name]) => name < '008'))
  using old = new Database(path, { create: true })
  await migrate(old, before)
  const user = old.prepare(`insert into users values (?, ?, ?, ?, '{}', 1, 2)`)
  user.run('acme', 'ada', ' Ada@Example.com ', 'c-ada')
  user.run('acme', 'jörg', 'JÖRG@example.com', null)
  user.run('acme', 'o-1', 'office@example.com', null)
  user.run('acme', 'o-2', 'Office@example.com', '')
  user.run('acme', 'unknown', 'n/a', null)
  user.run('globex', 'ada', 'ada@example.com', 'c-ada')
  const response = old.prepare(
    `insert into responses (tenant, response_uuid, user_id, contact_uuid, answers, updated_at) values ('acme', ?, ?, ?, '{}', 1)`,
  )
  response.run('r-1', 'ada', 'c-ada-before')
  response.run('r-2', 'ada', 'c-ada')
  response.run('r-3', null, 'c-nobody')
  old.close()

  const store = await openStore(path)
  stack.defer(() => store.close())
  const nothingElse = { shared: [], complete: true }
  expect(identifiersOf(store, 'acme', { uuid: 'c-ada-before' })).toEqual({
    userIds: ['ada'],
    emails: ['ada@example.com'],
    uuids: ['c-ada', 'c-ada-before'],
    ...nothingElse,
  })
  expect(identifiersOf(store, 'acme', { email: 'jörg@EXAMPLE.com' })).toMatchObject({ userIds: ['jörg'] })
  expect(identifiersOf(store, 'acme', { userId: 'unknown' })).toMatchObject({ emails: [], ...nothingElse })
  expect(identifiersOf(store, 'globex', { userId: 'ada' })).toMatchObject({ uuids: ['c-ada'] })
  expect(emailConflicts(store, 'acme', 10)).toEqual([
    { email: 'office@example.com', users: 2, userIds: ['o-1', 'o-2'] },
  ])
  expect(emailConflicts(store, 'globex', 10)).toEqual([])
})
