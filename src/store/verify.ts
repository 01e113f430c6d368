import type { Database } from 'bun:sqlite'
import { migrations } from './migrations/index.ts'

/** Something that is wrong with a database file, and what to do about it. */
export interface Problem {
  readonly kind: 'damaged' | 'reference' | 'schema' | 'stuck' | 'order' | 'tenant'
  readonly message: string
  readonly advice: string
}

/** What is in a database file. */
export interface Contents {
  /** The name of the last migration; null when it is no database of refiner-sync. */
  readonly schema: string | null
  readonly received: number
  /** Of what was received, what waits for the mapping. */
  readonly unmapped: number
  readonly deliveries: Readonly<Record<string, number>>
  readonly users: number
  readonly responses: number
  /** When the newest item was received, in ms since 1970; null without any. */
  readonly newestAt: number | null
}

export interface Inspection {
  readonly problems: readonly Problem[]
  /** Null where the file is too damaged to tell, or is none of refiner-sync. */
  readonly contents: Contents | null
}

/** Checks everything about the file that can be checked, in one state of it. Changes nothing; takes as long as reading all of it. */
export function inspect(sqlite: Database): Inspection {
  try {
    sqlite.run('begin')
    const schema = checkSchema(sqlite)
    if (schema !== null) return { problems: [schema], contents: null }
    const damage = checkPages(sqlite)
    // What is damaged may answer anything.
    if (damage.length > 0) return { problems: damage, contents: null }
    return { problems: [...checkReferences(sqlite), ...checkInvariants(sqlite)], contents: read(sqlite) }
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    return { problems: [{ kind: 'damaged', message, advice: RESTORE }], contents: null }
  } finally {
    if (sqlite.inTransaction) sqlite.run('rollback')
  }
}

const RESTORE =
  'stop the daemon, keep the damaged files, and restore the latest backup (docs/operations.md, Restore)'

function checkSchema(sqlite: Database): Problem | null {
  const tables = sqlite
    .query<{ name: string }, []>(`select name from sqlite_schema where type = 'table'`)
    .all()
    .map(({ name }) => name)
  if (!tables.includes('kysely_migration')) {
    return {
      kind: 'schema',
      message: 'this is no database of refiner-sync',
      advice: 'name the file that `database` names, or a backup of it',
    }
  }
  const unknown = appliedMigrations(sqlite).find((name) => !(name in migrations))
  if (unknown === undefined) return null
  return {
    kind: 'schema',
    message: `a newer version of refiner-sync made this file: ${unknown} is not known here`,
    advice: 'use that version, or restore an older copy',
  }
}

function appliedMigrations(sqlite: Database): string[] {
  return sqlite
    .query<{ name: string }, []>('select name from kysely_migration order by name')
    .all()
    .map(({ name }) => name)
}

const MOST_TOLD = 20

function checkPages(sqlite: Database): Problem[] {
  return sqlite
    .query<{ integrity_check: string }, []>(`pragma integrity_check(${MOST_TOLD})`)
    .all()
    .filter(({ integrity_check: told }) => told !== 'ok')
    .map(({ integrity_check: told }) => ({ kind: 'damaged', message: told, advice: RESTORE }))
}

function checkReferences(sqlite: Database): Problem[] {
  const broken = new Map<string, number>()
  for (const { table, parent } of sqlite
    .query<{ table: string; parent: string }, []>('pragma foreign_key_check')
    .iterate()) {
    const which = `${table} that name no row of ${parent}`
    broken.set(which, (broken.get(which) ?? 0) + 1)
  }
  return [...broken].map(([which, count]) => ({
    kind: 'reference',
    message: `${count} rows of ${which}`,
    advice: RESTORE,
  }))
}

/** What holds after each commit, and what it means when it does not. */
const INVARIANTS: readonly {
  readonly kind: Problem['kind']
  readonly says: (count: number) => string
  readonly advice: string
  readonly count: string
}[] = [
  {
    kind: 'stuck',
    says: (count) =>
      `${count} users at a destination have open deliveries, none of which is next: they wait for ever`,
    advice: 'stop the daemon and run `refiner-sync vacuum`: it puts their first ones next',
    count: `select count(*) as count from (
      select 1 from outbox where settled_at is null group by tenant, destination, user_key having sum(head) <> 1)`,
  },
  {
    kind: 'order',
    says: (count) => `${count} deliveries would go out before earlier ones of their users`,
    advice: 'stop the daemon and run `refiner-sync vacuum`: it puts the earlier ones next',
    count: `select count(*) as count from outbox as head where head = 1 and state = 'pending' and exists (
      select 1 from outbox as earlier where earlier.settled_at is null and earlier.tenant = head.tenant
        and earlier.destination = head.destination and earlier.user_key = head.user_key and earlier.id < head.id)`,
  },
  {
    kind: 'tenant',
    says: (count) => `${count} deliveries are of another tenant than what they were made of`,
    advice: RESTORE,
    count: `select count(*) as count from outbox join inbox on inbox.id = outbox.inbox_id
      where outbox.tenant <> inbox.tenant`,
  },
]

function checkInvariants(sqlite: Database): Problem[] {
  return INVARIANTS.flatMap(({ kind, says, advice, count: query }) => {
    const { count } = sqlite.query<{ count: number }, []>(query).get()!
    return count === 0 ? [] : [{ kind, message: says(count), advice }]
  })
}

function read(sqlite: Database): Contents {
  const count = (from: string) =>
    sqlite.query<{ count: number }, []>(`select count(*) as count from ${from}`).get()!.count
  const states = sqlite
    .query<{ state: string; count: number }, []>('select state, count(*) as count from outbox group by state')
    .all()
  const newest = sqlite
    .query<{ at: number }, []>('select received_at as at from inbox order by id desc limit 1')
    .get()
  return {
    schema: appliedMigrations(sqlite).at(-1) ?? null,
    received: count('inbox'),
    unmapped: count(`inbox where state = 'received'`),
    deliveries: Object.fromEntries(states.map((row) => [row.state, row.count])),
    users: count('users'),
    responses: count('responses'),
    newestAt: newest?.at ?? null,
  }
}
