import { Database } from 'bun:sqlite'
import { migrate } from '../../src/store/migrate.ts'
import { migrations } from '../../src/store/migrations/index.ts'

/** Migrates the database that it is given, and dies of SIGKILL in the middle of the last migration. */
const sqlite = new Database(Bun.argv[2])
sqlite.run('pragma journal_mode = wal')
// As if memory were short, so that there is something of it in the file.
sqlite.run('pragma cache_size = 1')
await migrate(sqlite, {
  ...migrations,
  '999-killed': {
    async up() {
      sqlite.run('create table half_done (id integer)')
      process.kill(process.pid, 'SIGKILL')
    },
  },
})
