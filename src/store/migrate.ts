import type { Database } from 'bun:sqlite'
import { Kysely, SqliteDialect } from 'kysely'
import { Migrator } from 'kysely/migration'
import { migrations as all } from './migrations/index.ts'

/** Brings the tables up to this version. Throws when a migration fails or when a newer version made the file. */
export async function migrate(sqlite: Database, migrations = all): Promise<void> {
  const db = new Kysely<unknown>({ dialect: bunSqliteDialect(sqlite) })
  const migrator = new Migrator({ db, provider: { getMigrations: async () => migrations } })
  const { error, results } = await migrator.migrateToLatest()
  if (error === undefined) return
  const failed = results?.find((result) => result.status === 'Error')
  if (failed) throw new Error(`migration ${failed.migrationName} failed`, { cause: error })
  if (error instanceof Error && error.message.includes('is missing')) {
    throw new Error(
      'a newer version of refiner-sync made this file; run that version, or restore an older copy',
      {
        cause: error,
      },
    )
  }
  throw error
}

/** Kysely's own SQLite dialect on a bun:sqlite database, which stays open when Kysely is done with it. */
function bunSqliteDialect(sqlite: Database): SqliteDialect {
  return new SqliteDialect({
    database: {
      close: () => {},
      prepare(sql) {
        const statement = sqlite.prepare<unknown, never[]>(sql)
        return {
          reader: statement.columnNames.length > 0,
          all: (parameters) => statement.all(...(parameters as never[])),
          run: (parameters) => statement.run(...(parameters as never[])),
          iterate: (parameters) => statement.iterate(...(parameters as never[])),
        }
      },
    },
  })
}
