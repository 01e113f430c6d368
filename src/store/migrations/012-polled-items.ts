import { type Kysely, sql } from 'kysely'

/** To find when polling last brought what no webhook has brought since. */
export const polledItems = {
  async up(db: Kysely<unknown>): Promise<void> {
    await sql
      .raw(`create index inbox_polled on inbox (tenant, received_at) where origin = 'poll'`)
      .execute(db)
  },
}
