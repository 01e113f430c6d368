import { type Kysely, sql } from 'kysely'

/**
 * Segments: who is in which, and of whom that has to be looked at again because something that is kept of them changed.
 * What changes is noted by triggers, so that no way into these tables can leave it out. Where a tenant has no segments
 * they cost one look into an empty index.
 *
 * The outbox no longer names its calls: the program's types do, and a table cannot be changed without writing it anew.
 */
export const segments = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of [...tables, ...triggers, ...outbox]) await sql.raw(statement).execute(db)
  },
}

const tables = [
  `create table segments (
    id integer primary key autoincrement,
    tenant text not null,
    name text not null,
    condition text not null,
    refiner_segment text,
    trait text,
    entered_event text,
    left_event text,
    -- Counts what was changed about it.
    revision integer not null check (revision > 0),
    members integer not null check (members >= 0),
    -- Everybody up to this user ID has been looked at; null once all have been.
    scanned_until text,
    -- What members are told of in that scan though they stay, as JSON.
    retell text not null check (json_valid(retell)),
    created_at integer not null,
    -- When the configuration no longer had it.
    retired_at integer
  ) strict`,
  `create unique index segments_by_name on segments (tenant, name) where retired_at is null`,
  `create index segments_retired on segments (id) where retired_at is not null`,

  `create table segment_members (
    segment_id integer not null references segments (id),
    tenant text not null,
    user_id text not null,
    member integer not null check (member = 0 or member = 1),
    -- How often the user entered or left, from 1.
    changes integer not null check (changes > 0),
    -- When it was last.
    changed_at integer not null,
    primary key (segment_id, user_id)
  ) strict, without rowid`,
  `create index segment_members_of_user on segment_members (tenant, user_id, segment_id)`,
  `create index segment_members_current on segment_members (segment_id, user_id, changed_at) where member = 1`,

  // In the order in which they changed.
  `create table segment_users_changed (
    place integer primary key,
    tenant text not null,
    user_id text not null,
    unique (tenant, user_id)
  ) strict`,
  // Whose members have changed by it, in that order, and up to which user ID they have been gone through.
  `create table segment_accounts_changed (
    place integer primary key,
    tenant text not null,
    account_id text not null,
    done_until text not null,
    -- It changed after some had been gone through: they are to be gone through again, after all others.
    again integer not null check (again = 0 or again = 1),
    unique (tenant, account_id)
  ) strict`,
]

const hasSegments = (tenant: string) =>
  `exists (select 1 from segments where segments.tenant = ${tenant} and retired_at is null)`

/** Without `or ignore`, which the statement that fires the trigger could overrule. */
const userChanged = (tenant: string, userId: string) =>
  `insert into segment_users_changed (tenant, user_id)
    select ${tenant}, ${userId} where ${userId} is not null and not exists
      (select 1 from segment_users_changed as known where known.tenant = ${tenant} and known.user_id = ${userId});`

const accountChanged = `insert into segment_accounts_changed (tenant, account_id, done_until, again)
  select new.tenant, new.account_id, '', 0 where true
  on conflict (tenant, account_id) do update set again = (done_until <> '');`

/** Answers that somebody gave before Refiner knew them belong to the user whose contact it is, and to no other. */
const contactChanged = (of: 'new' | 'old') => `insert into segment_users_changed (tenant, user_id)
  select distinct identities.tenant, identities.user_id from identities
  where ${of}.user_id is null and identities.tenant = ${of}.tenant and kind = 'uuid' and value = ${of}.contact_uuid
    and not exists (select 1 from segment_users_changed as known
      where known.tenant = identities.tenant and known.user_id = identities.user_id);`

const trigger = (name: string, when: string, condition: string, ...does: string[]) =>
  `create trigger ${name} after ${when} when ${condition} and ${hasSegments('new.tenant')}
    begin ${does.join(' ')} end`

const ofNew = userChanged('new.tenant', 'new.user_id')

const triggers = [
  trigger('segments_see_user', 'insert on users', 'true', ofNew),
  trigger(
    'segments_see_user_change',
    'update of email, refiner_uuid, traits on users',
    '(old.email is not new.email or old.refiner_uuid is not new.refiner_uuid or old.traits <> new.traits)',
    ofNew,
  ),
  trigger('segments_see_membership', 'insert on memberships', 'true', ofNew),
  trigger(
    'segments_see_membership_change',
    'update of last_seen_at on memberships',
    'old.last_seen_at <> new.last_seen_at',
    ofNew,
  ),
  trigger(
    'segments_see_account_change',
    'update of traits on accounts',
    'old.traits <> new.traits',
    accountChanged,
  ),
  trigger('segments_see_event', 'insert on user_events', 'true', ofNew),
  trigger('segments_see_event_change', 'update on user_events', 'true', ofNew),
  trigger('segments_see_response', 'insert on responses', 'true', ofNew, contactChanged('new')),
  trigger(
    'segments_see_response_change',
    'update on responses',
    'true',
    ofNew,
    userChanged('old.tenant', 'old.user_id'),
    contactChanged('new'),
    contactChanged('old'),
  ),
  trigger('segments_see_identity', 'insert on identities', `new.kind = 'uuid'`, ofNew),
  trigger(
    'segments_see_identity_change',
    'update of shared on identities',
    `new.kind = 'uuid' and old.shared <> new.shared`,
    ofNew,
  ),

  `create trigger segments_count_new after insert on segment_members when new.member = 1
    begin update segments set members = members + 1 where id = new.segment_id; end`,
  `create trigger segments_count_change after update of member on segment_members when old.member <> new.member
    begin update segments set members = members + new.member - old.member where id = new.segment_id; end`,
  `create trigger segments_count_gone after delete on segment_members when old.member = 1
    begin update segments set members = members - 1 where id = old.segment_id; end`,
]

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

const outbox = [
  `create table outbox_new (
    id integer primary key autoincrement,
    inbox_id integer not null references inbox (id),
    tenant text not null,
    destination text not null check (destination = 'segment' or destination = 'refiner'),
    call text not null check (call <> ''),
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
  `create index outbox_open_by_user on outbox (tenant, destination, user_key, inbox_id, id, settled_at)
    where settled_at is null`,
  `create index outbox_leased on outbox (state, tenant, destination) where state = 'leased'`,
  `create index outbox_dead on outbox (tenant, destination, settled_at) where state = 'dead'`,
  `create index outbox_inbox on outbox (inbox_id)`,
  `create index outbox_skipped on outbox (tenant, destination, settled_at) where state = 'skipped'`,
  `create index outbox_dead_in_order on outbox (state, id, tenant, destination) where state = 'dead'`,
  `create index outbox_skipped_in_order on outbox (state, id, tenant, destination) where state = 'skipped'`,
  `create index outbox_dead_by_user on outbox (tenant, user_key, id) where state = 'dead'`,
]
