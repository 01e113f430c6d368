import { Database } from 'bun:sqlite'
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { TENANTS } from './senders.ts'

const DAY_MS = 24 * 3_600_000
/** By so much everything becomes older: beyond the retention of what is delivered, and within that of what is dead. */
const AGE_DAYS = 40
/** What is to be old and is younger than this has not been made older yet. */
const YOUNG_DAYS = 30
/** Of deliveries that a long while ago went out, for the daemon to have enough to remove; together some 10 MB. */
const BALLAST = 400
const PAYLOAD_BYTES = 12_000
const BALLAST_ITEMS = "dedup_key >= 'ballast-' and dedup_key < 'ballast.'"
/** As many free pages the daemon leaves in the file: see src/store/retention.ts. */
const FREE_PAGES = 1000
const FREE_SHARE = 0.1

/** What a database had when it was made older. */
export interface Aged {
  /** Items that are old, ballast included. */
  readonly items: number
  /** IDs of deliveries that were open or given up: they stay, and their items with them. */
  readonly kept: readonly number[]
  /** The IDs of the first and the last item that may be removed, and they are in this order. */
  readonly first: number
  readonly last: number
}

/** What was left of it when the daemon was killed. */
export interface Remains {
  /** Old items that are gone. */
  readonly removed: number
  /** Where the kill came. */
  readonly within: 'removing' | 'shrinking' | 'neither'
  /** What should not be; null when all is well. */
  readonly complaint: string | null
}

/**
 * Makes all that a database holds older, as if nothing had happened for a month, and adds deliveries of that time. Each
 * of them carries a name that nobody sent, so that it is seen when one goes out. The daemon is not running.
 */
export function makeOlder(path: string): Aged {
  using sqlite = new Database(path, { readwrite: true })
  // What is written here is not to be lost by the next power cut.
  sqlite.run('pragma synchronous = full')
  const before = Date.now() - AGE_DAYS * DAY_MS
  const young = Date.now() - YOUNG_DAYS * DAY_MS
  sqlite.transaction(() => {
    const shift = AGE_DAYS * DAY_MS
    sqlite.query('update inbox set received_at = received_at - ? where received_at > ?').run(shift, young)
    sqlite.query('update outbox set settled_at = settled_at - ? where settled_at > ?').run(shift, young)
    for (let missing = BALLAST - countOf(sqlite, BALLAST_ITEMS); missing > 0; missing--) {
      addBallast(sqlite, before)
    }
  })()
  const kept = sqlite.query<{ id: number }, []>(
    `select id from outbox where state in ('pending', 'leased', 'dead')`,
  )
  const ends = sqlite.query<{ first: number; last: number }, []>(
    `select min(id) as first, max(id) as last from inbox where state = 'mapped' and not exists
      (select 1 from outbox where inbox_id = inbox.id and state in ('pending', 'leased', 'dead'))`,
  )
  return { items: countOf(sqlite, old()), kept: kept.all().map(({ id }) => id), ...ends.get()! }
}

/** Whether this item is gone; read beside the daemon. */
export function isRemoved(path: string, item: number): boolean {
  using sqlite = new Database(path, { readonly: true })
  return sqlite.query('select 1 from inbox where id = ?').get(item) === null
}

/** Compares with what is there now. Looks at a copy: the file and its -wal are left as the killed daemon left them. */
export function remainsOf(path: string, aged: Aged): Remains {
  const folder = mkdtempSync(join(tmpdir(), 'refiner-sync-remains-'))
  try {
    const copy = join(folder, 'copy.db')
    for (const end of ['', '-wal']) if (existsSync(path + end)) copyFileSync(path + end, copy + end)
    using sqlite = new Database(copy, { readwrite: true })
    const left = countOf(sqlite, BALLAST_ITEMS)
    const removed = aged.items - countOf(sqlite, old())
    const within =
      left > 0 && removed > 0 ? 'removing' : left === 0 && isSlack(sqlite) ? 'shrinking' : 'neither'
    return { removed, within, complaint: complaintOf(sqlite, aged, removed) }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function complaintOf(sqlite: Database, { kept }: Aged, removed: number): string | null {
  const here = sqlite.query('select 1 from outbox where id = ?')
  const gone = kept.filter((id) => here.get(id) === null)
  if (gone.length > 0)
    return `retention removed deliveries that were not settled or were dead: ${gone.join(', ')}`
  const orphans = sqlite.query('pragma foreign_key_check').all().length
  if (orphans > 0) return `retention left ${orphans} rows without what they belong to`
  const state = Object.values(sqlite.query<Record<string, string>, []>('pragma quick_check(1)').get()!)[0]
  if (state !== 'ok') return `the database is not whole: ${state}`
  return removed > 0 ? null : 'retention removed nothing'
}

function addBallast(sqlite: Database, at: number): void {
  const name = `ballast-${crypto.randomUUID()}`
  const tenant = TENANTS[0]
  const payload = JSON.stringify({ id: 'ballast', event: name, filler: 'x'.repeat(PAYLOAD_BYTES) })
  const { lastInsertRowid } = sqlite
    .query(
      `insert into inbox (tenant, source, dedup_key, payload, received_at, state, copies)
        values (?, 'segment', ?, ?, ?, 'mapped', 0)`,
    )
    .run(tenant, name, payload, at)
  sqlite
    .query(
      `insert into outbox (inbox_id, tenant, destination, call, user_key, message_id, payload, state, head, attempts,
          not_before, created_at, settled_at)
        values (?, ?, 'refiner', 'track', 'ballast', ?, ?, 'delivered', 0, 1, ?, ?, ?)`,
    )
    .run(lastInsertRowid, tenant, name, payload, at, at, at)
}

function old(): string {
  return `received_at < ${Date.now() - YOUNG_DAYS * DAY_MS}`
}

function countOf(sqlite: Database, where: string): number {
  return sqlite.query<{ count: number }, []>(`select count(*) as count from inbox where ${where}`).get()!
    .count
}

function isSlack(sqlite: Database): boolean {
  const free = pragma(sqlite, 'freelist_count')
  return free > Math.max(FREE_PAGES, pragma(sqlite, 'page_count') * FREE_SHARE)
}

function pragma(sqlite: Database, name: 'freelist_count' | 'page_count'): number {
  return Object.values(sqlite.query<Record<string, number>, []>(`pragma ${name}`).get()!)[0]!
}
