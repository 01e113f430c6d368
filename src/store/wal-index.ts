import { openSync, readSync, writeSync } from 'node:fs'

/**
 * Two copies of the header, which must be alike, and then how much has been copied into the database:
 * https://www.sqlite.org/walformat.html#the_wal_index_file_format
 */
const HEADER_BYTES = 96
const LAST_FRAME_AT = 16
const COPIED_AT = 96
const READ_BYTES = COPIED_AT + 4

/**
 * The index beside a -wal, by which SQLite finds in it what was committed. SQLite makes it anew, from what can be read
 * of the -wal and has the right checksums, whenever the header is not valid: after a crash, and when told to here.
 */
export class WalIndex {
  /**
   * Opened once and not closed again: closing any descriptor of a file takes all locks away that the process has on it,
   * SQLite's too. https://www.sqlite.org/howtocorrupt.html#_posix_advisory_locks_canceled_by_a_separate_thread_doing_close_
   */
  #descriptor: number | null = null
  readonly #read = new Uint32Array(READ_BYTES / 4)

  constructor(private readonly path: string) {}

  /** Makes SQLite read the -wal again at the next transaction. Not to be called within one. */
  invalidate(): void {
    writeSync(this.#open(), new Uint8Array(HEADER_BYTES), 0, HEADER_BYTES, 0)
  }

  /** How many pages the -wal holds that have not been copied into the database. */
  pagesToCopy(): number {
    if (readSync(this.#open(), this.#read, 0, READ_BYTES, 0) < READ_BYTES) return 0
    return this.#read[LAST_FRAME_AT / 4]! - this.#read[COPIED_AT / 4]!
  }

  #open(): number {
    this.#descriptor ??= openSync(this.path, 'r+')
    return this.#descriptor
  }
}
