import { Database } from 'bun:sqlite'
import { existsSync } from 'node:fs'

/** From SQLite's own header: https://www.sqlite.org/c3ref/c_open_autoproxy.html */
const SQLITE_OPEN_READONLY = 0x01
const SQLITE_OPEN_URI = 0x40

const BUSY_TIMEOUT_MS = 2000

/**
 * Opens the database at `path` for reading that may take minutes, while a daemon works on it or starts to. It reads one
 * state throughout, once it is in a transaction, and no writer waits for it.
 */
export function openReader(path: string): Database {
  if (!existsSync(path)) throw new Error(`there is no file ${path}`)
  const sqlite = existsSync(`${path}-wal`) ? new Database(path, { readonly: true }) : openUnused(path)
  sqlite.run(`pragma busy_timeout = ${BUSY_TIMEOUT_MS}`)
  return sqlite
}

/** Opens a database file that nobody writes to as long as it is read. */
export function openUnchanging(path: string): Database {
  const escaped = path.split('/').map(encodeURIComponent).join('/')
  return new Database(`file:${escaped}?immutable=1`, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI)
}

/**
 * A reader that must not write cannot remove the -wal that it makes; one that may does so when it closes. Where it
 * may not, such as on a file system for reading only, nobody else writes either.
 */
function openUnused(path: string): Database {
  let sqlite: Database | null = null
  try {
    sqlite = new Database(path, { readwrite: true, create: false })
    sqlite.query('pragma schema_version').get()
    return sqlite
  } catch {
    sqlite?.close()
    return openUnchanging(path)
  }
}
