import { type Database, SQLiteError } from 'bun:sqlite'
import type { Doubts } from '../disk/doubts.ts'
import { SyncFailed } from '../disk/wal-sync.ts'
import { faultWords } from './fault-words.ts'
import { FileWatch } from './file-watch.ts'
import type { WalIndex } from './wal-index.ts'

/** Each waits for the lock as long as SQLite is told to: fewer in a row are another process' ordinary work. */
const BUSY_IS_A_FAULT_AFTER = 10

/** A commit that must not be relied on: the files are not what they should be. */
export class FilesUnsafe extends Error {
  override readonly name = 'FilesUnsafe'
}

/**
 * Stands between a commit and the word that it is safe. It refuses
 *
 * - to go on after an I/O error as if nothing had been. When a sync fails, the system takes the pages for written all
 *   the same, and the next sync says nothing of them. Commits are a chain in the -wal: behind a page that never reached
 *   the disk, a power cut would take all that comes after, acknowledged or not. So the -wal is read again first, as after
 *   a crash, because the system may have thrown away what it could not write; what is whole is copied into the database
 *   file and synced, and the -wal begun anew. What this takes back had not been synced, and so not been acknowledged;
 * - to call a commit safe that went into a file which its path no longer leads to.
 */
export class FileGuard {
  readonly #watch: FileWatch
  /** The doubts that have been dispelled: with more, what is in the -wal may not be on the disk. */
  #dispelled = 0
  #missing = false
  #leftOpen = false
  #busyInARow = 0
  #fault: string | null = null

  constructor(
    private readonly sqlite: Database,
    path: string,
    private readonly index: WalIndex,
    readonly doubts: Doubts,
  ) {
    this.#watch = new FileWatch(path)
  }

  /** Why the last transaction failed, where the files were at fault; null once one has succeeded. */
  get fault(): string | null {
    return this.#fault ?? (this.#isDoubtful ? 'the disk did not confirm what was written to it' : null)
  }

  /** What is wrong with the places of the files; null when nothing is. */
  missing(): string | null {
    return this.#watch.missing()
  }

  /** Before a transaction: mends what the last one left. Throws when that is not possible yet. */
  prepare(): void {
    if (this.#missing) this.expectFiles()
    if (this.#leftOpen && this.sqlite.inTransaction) this.sqlite.run('rollback')
    this.#leftOpen = false
    if (this.#isDoubtful) this.#renewWal()
  }

  /** After a commit. */
  committed(): void {
    this.#busyInARow = 0
    this.#fault = null
  }

  /** Before a commit is called safe; throws when nobody would ever find it again. */
  expectFiles(): void {
    const missing = this.#watch.missing()
    this.#missing = missing !== null
    if (missing === null) return
    this.#fault = missing
    throw new FilesUnsafe(missing)
  }

  /** After a transaction that failed; other errors than those of the files are none of its business. */
  note(error: unknown): void {
    if (error instanceof FilesUnsafe || error instanceof SyncFailed) {
      this.#fault = error.message
      return
    }
    if (!(error instanceof SQLiteError)) return
    const code = error.code ?? ''
    if (code.startsWith('SQLITE_BUSY')) {
      this.#busyInARow += 1
      if (this.#busyInARow >= BUSY_IS_A_FAULT_AFTER) this.#fault = faultWords(error)
      return
    }
    if (!/^SQLITE_(IOERR|FULL|READONLY|CANTOPEN|CORRUPT|NOTADB|PROTOCOL)/.test(code)) return
    if (code.startsWith('SQLITE_IOERR')) this.doubts.add()
    this.#fault = faultWords(error)
  }

  /** A transaction that failed could not be rolled back: to be done before the next. */
  leftOpen(): void {
    this.#leftOpen = true
  }

  get #isDoubtful(): boolean {
    return this.doubts.count !== this.#dispelled
  }

  #renewWal(): void {
    const { count } = this.doubts
    this.index.invalidate()
    const [result] = this.sqlite.query<{ busy: number }, []>('pragma wal_checkpoint(truncate)').all()
    if (result?.busy !== 0) {
      throw new FilesUnsafe(
        'the disk failed, and before anything is accepted its -wal must be written anew: somebody who reads or copies it is in the way',
      )
    }
    this.#dispelled = count
  }
}
