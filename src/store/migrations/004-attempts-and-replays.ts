import { type Kysely, sql } from 'kysely'

/** What each attempt came to, who replayed what and when, and how to find what was given up in order of arrival. */
export const attemptsAndReplays = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of statements) await sql.raw(statement).execute(db)
  },
}

const statements = [
  // A row holds attempts in a row that came to the same: a destination that is down says the same for days.
  `create table attempts (
    delivery_id integer not null references outbox (id) on delete cascade,
    number integer not null check (number > 0),
    times integer not null check (times > 0),
    moments text not null,
    last_at integer not null,
    status integer,
    result text not null check (result in ('retry', 'throttled', 'unauthorized', 'rejected')),
    reason text not null,
    answer text,
    primary key (delivery_id, number)
  ) strict, without rowid`,

  `create table replays (
    id integer primary key autoincrement,
    at integer not null,
    by text not null,
    filter text not null check (json_valid(filter)),
    place integer not null,
    until_id integer not null,
    resent integer not null check (resent >= 0),
    remapped integer not null check (remapped >= 0),
    orphaned integer not null check (orphaned >= 0),
    finished_at integer
  ) strict`,
  `create table replayed (
    inbox_id integer not null references inbox (id) on delete cascade,
    delivery_id integer not null,
    replay_id integer not null,
    how text not null check (how in ('resent', 'remapped')),
    at integer not null,
    reason text not null,
    primary key (inbox_id, delivery_id, replay_id)
  ) strict, without rowid`,
  // Where what is mapped anew goes: the place in the order that the delivery had, which it replaces.
  `create table places (
    inbox_id integer not null references inbox (id) on delete cascade,
    id integer not null,
    destination text not null,
    created_at integer not null,
    primary key (inbox_id, id)
  ) strict, without rowid`,

  `create index outbox_dead_in_order on outbox (state, id, tenant, destination) where state = 'dead'`,
  `create index outbox_skipped_in_order on outbox (state, id, tenant, destination) where state = 'skipped'`,
]
