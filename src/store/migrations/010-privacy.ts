import { randomBytes } from 'node:crypto'
import { type Kysely, sql } from 'kysely'

/** Who is not to come back, and what was done when somebody asked for it. Neither says who it was. */
export const privacy = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of statements) await sql.raw(statement).execute(db)
    await sql`insert into privacy_salt (id, salt) values (1, ${randomBytes(32).toString('hex')})`.execute(db)
  },
}

const statements = [
  // Without it a list of known IDs and a copy of the hashes from elsewhere would tell who was forgotten.
  `create table privacy_salt (
    id integer primary key check (id = 1),
    salt text not null check (length(salt) = 64)
  ) strict`,

  `create table receipts (
    id integer primary key autoincrement,
    tenant text not null,
    hash text not null,
    what text not null check (what = 'forget' or what = 'suppress' or what = 'lift'),
    by text not null,
    asked_at integer not null,
    done_at integer not null,
    swept_at integer,
    counts text not null check (json_valid(counts)),
    complete integer not null check (complete = 0 or complete = 1),
    refiner text not null
      check (refiner = 'not asked' or refiner = 'waits' or refiner = 'deleted' or refiner = 'failed'),
    refiner_at integer,
    refiner_status integer
  ) strict`,
  `create index receipts_unswept on receipts (id) where swept_at is null`,

  `create table tombstones (
    tenant text not null,
    hash text not null,
    kind text not null check (kind = 'forgotten' or kind = 'suppressed'),
    at integer not null,
    receipt_id integer not null references receipts (id),
    primary key (tenant, hash)
  ) strict, without rowid`,
  `create index tombstones_by_receipt on tombstones (receipt_id)`,

  // Deletions at Refiner that wait for it, by their outbox row: what it answers goes into the receipt.
  `create table erasures (
    delivery_id integer primary key,
    receipt_id integer not null references receipts (id)
  ) strict`,
  `create index erasures_by_receipt on erasures (receipt_id)`,

  // What is left to be removed of somebody who has very much: IDs, which say nothing.
  `create table doomed (
    receipt_id integer not null references receipts (id),
    kind text not null check (kind = 'item' or kind = 'delivery'),
    id integer not null,
    primary key (receipt_id, kind, id)
  ) strict, without rowid`,

  // Deletions that Segment asked for, until they are done.
  `create table forget_requests (
    inbox_id integer primary key references inbox (id) on delete cascade
  ) strict`,
]
