import { Database } from 'bun:sqlite'
import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { sql } from 'kysely'
import { startDaemon } from '../../src/daemon.ts'
import { startRefinerStandIn } from '../../src/demo/refiner-stand-in.ts'
import { startSegmentStandIn } from '../../src/demo/segment-stand-in.ts'
import { silentLog } from '../../src/observe/log.ts'
import { migrate } from '../../src/store/migrate.ts'
import { migrations } from '../../src/store/migrations/index.ts'
import { openStore } from '../../src/store/open.ts'
import { inspect } from '../../src/store/verify.ts'
import { completedSurvey } from '../fixtures/refiner-webhook.ts'
import { testConfiguration, testTenant } from '../support/configuration.ts'
import { deadline } from '../support/loop.ts'

let folder: string
let path: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'refiner-sync-migrations-'))
  path = testConfiguration(folder, []).database.path
  mkdirSync(dirname(path), { recursive: true })
})
afterEach(() => {
  rmSync(folder, { recursive: true })
})

const NAMES = Object.keys(migrations).sort()

/** The first migrations, up to the one of the name. */
function upTo(name: string): typeof migrations {
  return Object.fromEntries(
    NAMES.filter((other) => other <= name).map((other) => [other, migrations[other]!]),
  )
}

const DELIVERIES = [
  ['u-1', 'leased-1', 'leased'],
  ['u-1', 'behind-1', 'pending'],
  ['u-2', 'pending-2', 'pending'],
  ['u-3', 'delivered-3', 'delivered'],
  ['u-4', 'dead-4', 'dead'],
  ['u-5', 'skipped-5', 'skipped'],
] as const

/** Rows in every state, in columns that all versions have. */
function fill(sqlite: Database): void {
  const inbox = sqlite.prepare(
    `insert into inbox (tenant, source, dedup_key, payload, received_at, state, copies)
     values ('acme', 'refiner_webhook', ?, ?, ?, ?, 0)`,
  )
  const outbox = sqlite.prepare(
    `insert into outbox (inbox_id, tenant, destination, call, user_key, message_id, payload, state, reason, head,
       attempts, not_before, lease, leased_until, created_at, settled_at)
     values (?, 'acme', 'segment', 'track', ?, ?, ?, ?, ?, ?, 1, 1, ?, ?, ?, ?)`,
  )
  const now = Date.now()
  inbox.run('waits', JSON.stringify(completedSurvey()), now, 'received')
  const heads = new Set<string>()
  for (const [user, name, state] of DELIVERIES) {
    const { lastInsertRowid } = inbox.run(name, '{}', now, 'mapped')
    const message = JSON.stringify({
      type: 'track',
      userId: user,
      event: name,
      messageId: name,
      properties: {},
    })
    const isOpen = state === 'leased' || state === 'pending'
    const reason = state === 'dead' || state === 'skipped' ? 'no' : null
    const lease = state === 'leased' ? 'of a process that is gone' : null
    const head = isOpen && !heads.has(user) ? 1 : 0
    if (isOpen) heads.add(user)
    const payload = state === 'skipped' ? null : message
    const leasedUntil = lease === null ? null : now + 60_000
    const settledAt = isOpen ? null : now
    outbox.run(lastInsertRowid, user, name, payload, state, reason, head, lease, leasedUntil, now, settledAt)
  }
  sqlite.run(`insert into users values ('acme', 'u-1', 'ada@example.com', null, '{"plan":"pro"}', 1, 2)`)
  sqlite.run(`insert into accounts values ('acme', 'a-1', '{"seats":3}', 1, 2)`)
  sqlite.run(`insert into memberships values ('acme', 'u-1', 'a-1', 1, 2)`)
  sqlite.run(`insert into user_events values ('acme', 'u-1', 'Signed Up', 2, 1, 2)`)
  sqlite.run(
    `insert into responses (tenant, response_uuid, user_id, answers, updated_at) values ('acme', 'r', 'u-1', '{}', 1)`,
  )
}

const TABLES = ['inbox', 'outbox', 'users', 'accounts', 'memberships', 'user_events', 'responses']

function contentsOf(sqlite: Database): Record<string, unknown[]> {
  return Object.fromEntries(
    TABLES.map((table) => [table, sqlite.query(`select * from ${table} order by 1, 2, 3`).all()]),
  )
}

async function oldDatabase(name: string): Promise<Record<string, unknown[]>> {
  using sqlite = new Database(path, { create: true })
  await migrate(sqlite, upTo(name))
  fill(sqlite)
  return contentsOf(sqlite)
}

describe.each(NAMES)('a database of %s', (name) => {
  test('keeps all that it holds', async () => {
    const before = await oldDatabase(name)
    const store = await openStore(path)
    const after = contentsOf(store.sqlite)
    expect(inspect(store.sqlite).problems).toEqual([])
    store.close()
    for (const table of TABLES) {
      expect(after[table]).toHaveLength(before[table]!.length)
      expect(after[table], table).toMatchObject(withoutPeopleKept(before[table]!))
    }
  })

  test('is worked on: what waited goes out once, in order, and nothing else does', async () => {
    await oldDatabase(name)
    await using stops = new AsyncDisposableStack()
    const segment = startSegmentStandIn({ writeKeys: 'any' })
    const refiner = startRefinerStandIn({ apiKeys: 'any' })
    stops.defer(() => segment.stop())
    stops.defer(() => refiner.stop())
    const tenant = testTenant('acme', { segment: { endpoint: `${segment.url}/v1` } })
    const configuration = testConfiguration(folder, [tenant])
    const daemon = await startDaemon({ configuration, log: silentLog })
    stops.defer(() => daemon.stop())
    await segment.until((messages) => messages.length === 6, deadline())
    await daemon.stop()
    const sent = segment.messages.map(({ message }) => message['event'] ?? message.type)
    expect(new Set(sent)).toEqual(
      new Set(['Completed Survey', 'behind-1', 'group', 'identify', 'leased-1', 'pending-2']),
    )
    expect(sent).toHaveLength(6)
    expect(sent.indexOf('leased-1')).toBeLessThan(sent.indexOf('behind-1'))
    const store = await openStore(path)
    expect(inspect(store.sqlite)).toMatchObject({
      problems: [],
      contents: { unmapped: 0, deliveries: { delivered: 7, dead: 1, skipped: 1 } },
    })
    store.close()
  })
})

function schemaOf(file: string): unknown[] {
  using sqlite = new Database(file)
  return sqlite.query('select sql from sqlite_schema order by name').all()
}

/** It is worked out anew by the migration that adds what it says. */
function withoutPeopleKept(rows: unknown[]): object[] {
  return rows.map((row) => {
    const { people_kept: _, ...rest } = row as Record<string, unknown>
    return rest
  })
}

test('a migration that fails changes nothing, and those before it are undone too', async () => {
  await oldDatabase(NAMES[0]!)
  using sqlite = new Database(path)
  const before = schemaOf(path)
  const broken = {
    async up(db: Parameters<NonNullable<(typeof migrations)[string]['up']>>[0]) {
      await sql.raw('create table half_done (id integer)').execute(db)
      throw new Error('broken')
    },
  }
  await expect(migrate(sqlite, { ...migrations, '999-broken': broken })).rejects.toThrow(
    'migration 999-broken failed',
  )
  expect(schemaOf(path)).toEqual(before)
  await migrate(sqlite)
  expect(inspect(sqlite).problems).toEqual([])
})

test('a kill in the middle of a migration leaves the database as it was', async () => {
  const before = await oldDatabase(NAMES[0]!)
  const schema = schemaOf(path)
  const killed = Bun.spawn(
    [process.execPath, join(import.meta.dir, '..', 'programs', 'killed-migration.ts'), path],
    {
      stdout: 'inherit',
      stderr: 'inherit',
    },
  )
  await killed.exited
  expect(killed.signalCode).toBe('SIGKILL')
  expect(schemaOf(path)).toEqual(schema)
  const store = await openStore(path)
  expect(contentsOf(store.sqlite)['outbox']).toMatchObject(before['outbox'] as object[])
  expect(inspect(store.sqlite).problems).toEqual([])
  store.close()
})
