import { type Kysely, sql } from 'kysely'

/** What the mapping has to say of a delivery, and how often an item was mapped anew. */
export const mappingNotes = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of statements) await sql.raw(statement).execute(db)
  },
}

const statements = [
  'alter table outbox add column detail text',
  'alter table outbox add column notes text',
  'alter table inbox add column replays integer not null default 0 check (replays >= 0)',
]
