import { type Kysely, sql } from 'kysely'

/** Lets the mapper pass over a tenant that is busy, and the operator find what was skipped and replay it. */
export const groupsAndReplay = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of statements) await sql.raw(statement).execute(db)
  },
}

const statements = [
  `create index inbox_waiting on inbox (tenant, source, id) where state = 'received'`,
  'drop index inbox_received',
  'alter table inbox add column people_kept integer not null default 0 check (people_kept in (0, 1))',
  `create index outbox_skipped on outbox (tenant, destination, settled_at) where state = 'skipped'`,
]
