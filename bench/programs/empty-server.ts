/** The limit of idle memory and of the start: a Bun server with SQLite open, which does nothing. */
import { Database } from 'bun:sqlite'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const db = new Database(
  join(process.argv[2] ?? mkdtempSync(join(tmpdir(), 'refiner-sync-bench-')), 'empty.db'),
)
db.run('pragma journal_mode = wal')
db.run('create table if not exists rows (id integer primary key, payload text)')
const server = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: () => new Response('ok') })
console.log(`http://127.0.0.1:${server.port}`)
