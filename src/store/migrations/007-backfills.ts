import { type Kysely, sql } from 'kysely'

/** Jobs that bring over what Refiner knows of the time before, how far each has come, and what must not be sent again. */
export const backfills = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of statements) await sql.raw(statement).execute(db)
  },
}

const statements = [
  `create table backfills (
    id integer primary key autoincrement,
    tenant text not null,
    at integer not null,
    by text not null,
    filter text not null check (json_valid(filter)),
    mode text not null check (mode = 'to-segment' or mode = 'store-only'),
    state text not null check (state = 'running' or state = 'paused' or state = 'done' or state = 'failed'),
    reason text,
    cursor text not null check (json_valid(cursor)),
    total integer,
    counts text not null check (json_valid(counts)),
    uncounted_after integer,
    uncounted_until integer,
    updated_at integer not null,
    finished_at integer,
    check ((state = 'done') = (finished_at is not null)),
    check (state <> 'failed' or reason is not null),
    check ((uncounted_after is null) = (uncounted_until is null))
  ) strict`,
  // Two at once of one tenant would only be in each other's way.
  `create unique index backfills_running on backfills (tenant) where state = 'running'`,

  // What retention has removed must not be sent again by bringing it over.
  `create table sent_before (
    tenant text not null,
    key text not null,
    primary key (tenant, key)
  ) strict, without rowid`,
]
