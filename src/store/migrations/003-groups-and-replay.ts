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
  `create index outbox_skipped on outbox (tenant, destination, settled_at) where state = 'skipped'`,
  // What was mapped before said about people what it had to say, unless it could not be read or mapped.
  'alter table inbox add column people_kept integer not null default 1 check (people_kept in (0, 1))',
  `update inbox set people_kept = 0 where state = 'received'`,
  `update inbox set people_kept = 0 where id in (
    select inbox_id from outbox where state = 'dead' and call = 'all' and reason like 'mapping it failed%'
    union all
    select inbox_id from outbox
      where state = 'skipped' and call = 'all' and reason like 'the webhook was not understood%')`,
]
