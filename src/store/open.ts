import { Database, SQLiteError } from 'bun:sqlite'
import { closeSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { Doubts } from '../disk/doubts.ts'
import { type CommitDisk, WalSync } from '../disk/wal-sync.ts'
import { Checkpoints } from './checkpoints.ts'
import { faultWords } from './fault-words.ts'
import { FileGuard } from './file-guard.ts'
import { migrate } from './migrate.ts'
import { type Transactions, transactions } from './transactions.ts'
import { WalIndex } from './wal-index.ts'

/**
 * An open SQLite file. Work on it is synchronous: bun:sqlite is, and it makes a transaction something that nothing
 * else on the thread can come in between, be it an await, a timer or another request.
 */
export interface Store extends Transactions {
  readonly sqlite: Database
  readonly path: string
  /** Whether what is committed is safe. */
  readonly guard: FileGuard
  /** For another thread that answers for what is committed. */
  readonly disk: CommitDisk
  /**
   * Empties the -wal into the database file, so that no byte of what was removed is left in it. Answers whether that is
   * done; otherwise it is under way, or somebody reads there, and to be asked for again. So many pages are copied at
   * once; of more, most are copied on another thread first.
   */
  emptyWal(most?: number): boolean
  close(): void
}

/** How long SQLite waits for another process' lock, with the whole thread: what is worth more is tried again later. */
const BUSY_TIMEOUT_MS = 100
/** The same at the start, where nobody waits: a backup must not keep the program from starting. */
const OPENING_BUSY_TIMEOUT_MS = 5000

/** In bytes. A -wal that grew beyond it, because somebody read for long, is cut when it is begun anew. */
const LARGEST_WAL = 64 * 1024 * 1024

/**
 * Opens the file at `path`, creating it and its folder, and brings its tables up to this version.
 * Throws with what to do when it cannot.
 */
export async function openStore(path: string): Promise<Store> {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const release = holdAlone(path)
  try {
    const sqlite = new Database(path, { create: true, readwrite: true })
    sqlite.run(`pragma busy_timeout = ${OPENING_BUSY_TIMEOUT_MS}`)
    // Before the first table; on a file that has some it does nothing until the next VACUUM.
    sqlite.run('pragma auto_vacuum = incremental')
    // Readers do not wait for it.
    sqlite.run('pragma journal_mode = wal')
    // While the tables are made, a commit is on the disk when it returns; from then on `WalSync` sees to it.
    sqlite.run('pragma synchronous = full')
    sqlite.run('pragma foreign_keys = on')
    // What is removed is overwritten: nobody is forgotten while their bytes lie about.
    sqlite.run('pragma secure_delete = on')
    sqlite.run(`pragma journal_size_limit = ${LARGEST_WAL}`)
    await migrate(sqlite)
    sqlite.run(`pragma busy_timeout = ${BUSY_TIMEOUT_MS}`)
    sqlite.run('pragma synchronous = normal')
    sqlite.run('pragma wal_autocheckpoint = 0')
    return storeOn(sqlite, path, release)
  } catch (error) {
    release()
    throw new Error(`opening the database ${path}: ${faultWords(error)}`, { cause: error })
  }
}

function storeOn(sqlite: Database, path: string, release: () => void): Store {
  const index = new WalIndex(`${path}-shm`)
  const doubts = new Doubts()
  const guard = new FileGuard(sqlite, path, index, doubts)
  const walPath = `${path}-wal`
  const wal = new WalSync(walPath, doubts)
  const checkpoints = new Checkpoints(sqlite, path, guard, index)
  return {
    sqlite,
    path,
    guard,
    disk: { walPath, doubts: doubts.memory },
    ...transactions(sqlite, { guard, wal, checkpoints }),
    emptyWal(most = FEW_PAGES) {
      if (index.pagesToCopy() <= most) return truncate(sqlite)
      checkpoints.copy()
      return false
    },
    close() {
      checkpoints.close()
      wal.close()
      tidyUp(sqlite, guard)
      sqlite.close(false)
      release()
    },
  }
}

/** So few pages are copied in some milliseconds. */
const FEW_PAGES = 500

/** Whether the -wal is empty now; it is not while somebody reads there, and nobody is waited for. */
function truncate(sqlite: Database): boolean {
  sqlite.run('pragma busy_timeout = 0')
  try {
    return sqlite.query<{ busy: number }, []>('pragma wal_checkpoint(truncate)').get()!.busy === 0
  } finally {
    sqlite.run(`pragma busy_timeout = ${BUSY_TIMEOUT_MS}`)
  }
}

/** Puts what is in the -wal into the file, so that a copy of the file alone is whole. */
function tidyUp(sqlite: Database, guard: FileGuard): void {
  try {
    guard.prepare()
    sqlite.run('pragma wal_checkpoint(truncate)')
  } catch {
    // Somebody reads the file, or the disk fails: the -wal stays, and the next start reads it.
  }
}

/**
 * Makes the files, for their owner's eyes only: they hold what people said. Makes sure that no other process works on
 * the database: two would send everything twice. Holds a lock on a file beside it, which the system takes back when the
 * process ends, however it ends; answers how to let go of it.
 */
function holdAlone(path: string): () => void {
  for (const file of [path, `${path}.lock`]) closeSync(openSync(file, 'a', 0o600))
  const lock = new Database(`${path}.lock`, { create: true, readwrite: true })
  try {
    lock.run('pragma journal_mode = memory')
    lock.run('begin exclusive')
  } catch (error) {
    lock.close()
    throw new Error(`the database ${path} is in use by another refiner-sync; stop that one first`, {
      cause: error,
    })
  }
  return () => lock.close()
}

/** Whether the fault is that another process holds the file's lock: it passes by itself. */
export function isBusy(error: unknown): boolean {
  return error instanceof SQLiteError && (error.code?.startsWith('SQLITE_BUSY') ?? false)
}
