import { type Kysely, sql } from 'kysely'

/**
 * States the conditions of an outbox row as one expression that stops at the row's own state. They are the same as
 * before, but each list of values was a table that SQLite made anew for each row: a quarter of what writing one cost.
 * SQLite cannot change the conditions of a table in place, so that all rows are written again, once.
 */
export const cheapChecks = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of statements) await sql.raw(statement).execute(db)
  },
}

const COLUMNS = `id, inbox_id, tenant, destination, call, user_key, message_id, payload, state, reason, answer, head,
  attempts, first_attempt_at, not_before, lease, leased_until, created_at, settled_at, detail, notes`

const attempts = (name: string, references: string) => `create table ${name} (
    delivery_id integer not null ${references},
    number integer not null check (number > 0),
    times integer not null check (times > 0),
    moments text not null,
    last_at integer not null,
    status integer,
    result text not null check (result in ('retry', 'throttled', 'unauthorized', 'rejected')),
    reason text not null,
    answer text,
    primary key (delivery_id, number)
  ) strict, without rowid`

const statements = [
  `create table outbox_new (
    id integer primary key autoincrement,
    inbox_id integer not null references inbox (id),
    tenant text not null,
    destination text not null check (destination = 'segment' or destination = 'refiner'),
    call text not null
      check (call = 'identify' or call = 'track' or call = 'group' or call = 'delete' or call = 'all'),
    user_key text not null,
    message_id text not null check (message_id <> ''),
    payload text,
    state text not null,
    reason text,
    answer text,
    head integer not null check (head = 0 or head = 1),
    attempts integer not null check (attempts >= 0),
    first_attempt_at integer,
    not_before integer not null,
    lease text,
    leased_until integer,
    created_at integer not null,
    settled_at integer,
    detail text,
    notes text,
    unique (tenant, destination, message_id),
    check (case state
      when 'pending' then settled_at is null and lease is null and leased_until is null and payload is not null
      when 'leased' then settled_at is null and lease is not null and leased_until is not null
        and payload is not null
      when 'delivered' then settled_at is not null and lease is null and leased_until is null and head = 0
        and payload is not null
      when 'dead' then settled_at is not null and lease is null and leased_until is null and head = 0
        and reason is not null
      when 'skipped' then settled_at is not null and lease is null and leased_until is null and head = 0
        and reason is not null
      else 0 end)
  ) strict`,
  `insert into outbox_new (${COLUMNS}) select ${COLUMNS} from outbox order by id`,
  // IDs are not given twice, also when the last rows have been removed.
  `insert into sqlite_sequence (name, seq)
    select 'outbox_new', 0 where not exists (select 1 from sqlite_sequence where name = 'outbox_new')`,
  `update sqlite_sequence set seq = coalesce((select seq from sqlite_sequence where name = 'outbox'), 0)
    where name = 'outbox_new'`,

  // With a table goes what refers to it: so the attempts step aside.
  attempts('attempts_kept', ''),
  'insert into attempts_kept select * from attempts',
  'drop table attempts',
  'drop table outbox',
  'alter table outbox_new rename to outbox',
  attempts('attempts', 'references outbox (id) on delete cascade'),
  'insert into attempts select * from attempts_kept',
  'drop table attempts_kept',

  `create unique index outbox_head on outbox (tenant, destination, user_key) where head = 1`,
  `create index outbox_due on outbox (tenant, destination, not_before, id) where head = 1 and state = 'pending'`,
  // In order of arrival: what an item becomes when it is mapped anew comes before what arrived later.
  `create index outbox_open_by_user on outbox (tenant, destination, user_key, inbox_id, id, settled_at)
    where settled_at is null`,
  `create index outbox_leased on outbox (state, tenant, destination) where state = 'leased'`,
  `create index outbox_dead on outbox (tenant, destination, settled_at) where state = 'dead'`,
  `create index outbox_inbox on outbox (inbox_id)`,
  `create index outbox_skipped on outbox (tenant, destination, settled_at) where state = 'skipped'`,
  `create index outbox_dead_in_order on outbox (state, id, tenant, destination) where state = 'dead'`,
  `create index outbox_skipped_in_order on outbox (state, id, tenant, destination) where state = 'skipped'`,
]
