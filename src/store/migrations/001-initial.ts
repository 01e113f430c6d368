import { type Kysely, sql } from 'kysely'

/** The first version of the file. A migration never changes once it has been released. */
export const initial = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of statements) await sql.raw(statement).execute(db)
  },
}

const statements = [
  `create table inbox (
    id integer primary key autoincrement,
    tenant text not null,
    source text not null check (source in ('refiner_webhook', 'segment')),
    dedup_key text not null,
    payload text not null,
    received_at integer not null,
    state text not null check (state in ('received', 'mapped')),
    copies integer not null check (copies >= 0),
    unique (tenant, source, dedup_key)
  ) strict`,
  `create index inbox_received on inbox (state, id) where state = 'received'`,

  `create table outbox (
    id integer primary key autoincrement,
    inbox_id integer not null references inbox (id),
    tenant text not null,
    destination text not null check (destination in ('segment', 'refiner')),
    call text not null check (call in ('identify', 'group', 'track', 'delete', 'all')),
    user_key text not null,
    message_id text not null check (length(message_id) > 0),
    payload text,
    state text not null check (state in ('pending', 'leased', 'delivered', 'dead', 'skipped')),
    reason text,
    answer text,
    head integer not null check (head in (0, 1)),
    attempts integer not null check (attempts >= 0),
    first_attempt_at integer,
    not_before integer not null,
    lease text,
    leased_until integer,
    created_at integer not null,
    settled_at integer,
    unique (tenant, destination, message_id),
    check (head = 0 or state in ('pending', 'leased')),
    check ((state = 'leased') = (lease is not null)),
    check ((lease is null) = (leased_until is null)),
    check ((state in ('delivered', 'dead', 'skipped')) = (settled_at is not null)),
    check (state not in ('dead', 'skipped') or reason is not null),
    check (state not in ('pending', 'leased', 'delivered') or payload is not null)
  ) strict`,
  `create unique index outbox_head on outbox (tenant, destination, user_key) where head = 1`,
  `create index outbox_due on outbox (tenant, destination, not_before, id) where head = 1 and state = 'pending'`,
  `create index outbox_open_by_user on outbox (tenant, destination, user_key, id, settled_at)
    where settled_at is null`,
  `create index outbox_leased on outbox (state, tenant, destination) where state = 'leased'`,
  `create index outbox_dead on outbox (tenant, destination, settled_at) where state = 'dead'`,
  `create index outbox_inbox on outbox (inbox_id)`,

  `create table users (
    tenant text not null,
    user_id text not null,
    email text,
    refiner_uuid text,
    traits text not null check (json_valid(traits)),
    first_seen_at integer not null,
    last_seen_at integer not null,
    primary key (tenant, user_id)
  ) strict`,

  `create table accounts (
    tenant text not null,
    account_id text not null,
    traits text not null check (json_valid(traits)),
    first_seen_at integer not null,
    last_seen_at integer not null,
    primary key (tenant, account_id)
  ) strict`,

  `create table memberships (
    tenant text not null,
    user_id text not null,
    account_id text not null,
    first_seen_at integer not null,
    last_seen_at integer not null,
    primary key (tenant, user_id, account_id),
    foreign key (tenant, user_id) references users (tenant, user_id) on delete cascade,
    foreign key (tenant, account_id) references accounts (tenant, account_id) on delete cascade
  ) strict, without rowid`,
  `create index memberships_by_account on memberships (tenant, account_id)`,

  `create table user_events (
    tenant text not null,
    user_id text not null,
    name text not null,
    count integer not null check (count > 0),
    first_at integer not null,
    last_at integer not null,
    primary key (tenant, user_id, name),
    foreign key (tenant, user_id) references users (tenant, user_id) on delete cascade
  ) strict, without rowid`,

  `create table responses (
    tenant text not null,
    response_uuid text not null,
    survey_uuid text,
    survey_name text,
    user_id text,
    contact_uuid text,
    answers text not null check (json_valid(answers)),
    tags text check (tags is null or json_valid(tags)),
    first_shown_at text,
    last_shown_at text,
    last_data_reception_at text,
    completed_at text,
    dismissed_at text,
    updated_at integer not null,
    primary key (tenant, response_uuid),
    foreign key (tenant, user_id) references users (tenant, user_id)
  ) strict`,
  `create index responses_by_user on responses (tenant, user_id)`,
]
