import { type Kysely, sql } from 'kysely'
import { normalEmail } from '../../json/emails.ts'

/** By what people are known besides their user IDs, and how to find what is theirs. */
export const identities = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of tables) await sql.raw(statement).execute(db)
    await takeOverEmails(db)
    for (const statement of takeOver) await sql.raw(statement).execute(db)
    for (const statement of indexes) await sql.raw(statement).execute(db)
    await sql.raw(markShared).execute(db)
  },
}

const tables = [
  `create table identities (
    tenant text not null,
    kind text not null check (kind = 'uuid' or kind = 'email'),
    value text not null check (value <> ''),
    user_id text not null,
    shared integer not null check (shared = 0 or shared = 1),
    first_seen_at integer not null,
    primary key (tenant, user_id, kind, value),
    foreign key (tenant, user_id) references users (tenant, user_id) on delete cascade
  ) strict`,

  `create table contact_identities (
    tenant text not null,
    contact_uuid text not null check (contact_uuid <> ''),
    kind text not null check (kind = 'uuid' or kind = 'email'),
    value text not null check (value <> ''),
    first_seen_at integer not null,
    primary key (tenant, contact_uuid, kind, value)
  ) strict`,
]

const takeOver = [
  `insert or ignore into identities (tenant, kind, value, user_id, shared, first_seen_at)
    select tenant, 'uuid', refiner_uuid, user_id, 0, first_seen_at from users where refiner_uuid <> ''`,
  `insert or ignore into identities (tenant, kind, value, user_id, shared, first_seen_at)
    select tenant, 'uuid', contact_uuid, user_id, 0, min(updated_at) from responses
    where user_id is not null and contact_uuid <> '' group by tenant, contact_uuid, user_id`,
]

/** Made when the rows are there, which is faster. */
const indexes = [
  `create index identities_by_value on identities (tenant, kind, value, user_id)`,
  `create index identities_shared on identities (tenant, kind, value) where shared = 1`,
  `create index contact_identities_by_value on contact_identities (tenant, kind, value, contact_uuid)`,
  `create index responses_without_user on responses (tenant, contact_uuid) where user_id is null`,
  `create index outbox_dead_by_user on outbox (tenant, user_key, id) where state = 'dead'`,
]

const markShared = `update identities set shared = 1 where (tenant, kind, value) in (
    select tenant, kind, value from identities group by tenant, kind, value having count(*) > 1)`

const AT_ONCE = 10_000

/** In TypeScript, so that emails of all alphabets are worded as they will be from now on. */
async function takeOverEmails(db: Kysely<unknown>): Promise<void> {
  for (let last = 0; ;) {
    const { rows } = await sql<{ row: number; email: string }>`select rowid as row, email from users
      where rowid > ${last} and email is not null order by rowid limit ${sql.lit(AT_ONCE)}`.execute(db)
    if (rows.length === 0) return
    const found = rows.flatMap(({ row, email }) => {
      const value = normalEmail(email)
      return value === null ? [] : [{ row, value }]
    })
    await sql`insert into identities (tenant, kind, value, user_id, shared, first_seen_at)
      select users.tenant, 'email', found.value ->> '$.value', users.user_id, 0, users.first_seen_at
      from json_each(${JSON.stringify(found)}) as found
      join users on users.rowid = found.value ->> '$.row'`.execute(db)
    last = rows.at(-1)!.row
  }
}
