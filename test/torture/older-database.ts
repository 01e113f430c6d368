import { Database } from 'bun:sqlite'
import { createHash } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { migrate } from '../../src/store/migrate.ts'
import { migrations } from '../../src/store/migrations/index.ts'
import type { Item } from './item.ts'
import type { Ledger } from './ledger.ts'
import type { Chance } from './random.ts'
import { TENANTS, webhookOf } from './senders.ts'

const USERS = 20
const ITEMS_EACH = 10

/** How many versions the file has had. */
export const VERSIONS = Object.keys(migrations).length

/**
 * Makes a database as an earlier version left it: with the first migrations only, and with webhooks that were
 * acknowledged and wait for the mapping. `run` tells its users from those of other runs.
 */
export async function olderDatabase(
  path: string,
  run: number,
  ledger: Ledger,
  random: Chance,
): Promise<void> {
  mkdirSync(dirname(path), { recursive: true })
  const known = Object.entries(migrations).slice(0, Math.floor(random.between(1, VERSIONS)))
  using sqlite = new Database(path, { create: true, readwrite: true })
  sqlite.run('pragma journal_mode = wal')
  await migrate(sqlite, Object.fromEntries(known))
  const insert = sqlite.prepare(
    `insert into inbox (tenant, source, dedup_key, payload, received_at, state, copies)
      values (?, 'refiner_webhook', ?, ?, ?, 'received', 0)`,
  )
  sqlite.transaction(() => {
    for (const item of items(run)) {
      const body = JSON.stringify(webhookOf(item))
      const digest = createHash('sha256').update(body).digest('hex')
      insert.run(item.tenant, digest, body, Date.now())
      ledger.sent(item)
      ledger.acknowledged(item)
    }
  })()
}

function* items(run: number): Generator<Item> {
  for (let n = 0; n < ITEMS_EACH; n++) {
    for (let user = 0; user < USERS; user++) {
      const tenant = TENANTS[user % TENANTS.length]!
      yield { tenant, way: 'webhook', user: `webhook-of-run-${run}-${user}`, n }
    }
  }
}
