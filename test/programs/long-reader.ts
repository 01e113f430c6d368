import { Database } from 'bun:sqlite'

/**
 * Does on the database it is given what a replicator of the -wal does: reads one state for as long as it lives, so that
 * the -wal cannot be begun anew, locks the writer out for a moment now and then, and checkpoints. Says `reading` when
 * it does, then a line each time that it went round.
 */
const path = String(Bun.argv[2])
const sqlite = new Database(path)
sqlite.run('pragma busy_timeout = 5000')
const reader = new Database(path, { readonly: true })
const read = () => {
  reader.run('begin')
  reader.query('select count(*) from sqlite_schema').get()
}
read()
process.stdout.write('reading\n')
for (;;) {
  sqlite.query('pragma wal_checkpoint(passive)').get()
  sqlite.run('begin immediate')
  await Bun.file(`${path}-wal`).bytes()
  sqlite.run('rollback')
  reader.run('rollback')
  read()
  process.stdout.write('round\n')
  await Bun.sleep(20)
}
