import { type Kysely, sql } from 'kysely'

/** Where an item came from, and how far polling has come. */
export const polling = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of statements) await sql.raw(statement).execute(db)
  },
}

const statements = [
  `alter table inbox add column origin text not null default 'webhook'
    check (origin = 'webhook' or origin = 'poll' or origin = 'backfill')`,
  `create table poll_places (
    tenant text primary key,
    begun_at integer not null,
    seen_until integer not null,
    swept_at integer not null,
    last_success_at integer,
    missed integer not null check (missed >= 0),
    last_missed_at integer
  ) strict`,
]
