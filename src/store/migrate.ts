import type { Database } from 'bun:sqlite'
import { Kysely, SqliteAdapter, SqliteDialect } from 'kysely'
import { Migrator } from 'kysely/migration'
import { migrations as all } from './migrations/index.ts'

/**
 * Brings the tables up to this version: all migrations that are missing in one transaction, so that a kill leaves the
 * tables as they were. Throws when a migration fails or when a newer version made the file.
 */
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

/** Kysely's dialect for SQLite migrates without a transaction, though SQLite's cover changes of tables, too. */
class OneTransaction extends SqliteDialect {
  override createAdapter(): SqliteAdapter {
    return new TransactionalAdapter()
  }
}

class TransactionalAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true
  }
}

/** Kysely's own SQLite dialect on a bun:sqlite database, which stays open when Kysely is done with it. */
function bunSqliteDialect(sqlite: Database): SqliteDialect {
  return new OneTransaction({
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
