import { Database } from 'bun:sqlite'
import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs'
import type { Clock } from '../contracts/clock.ts'
import { runDatabaseTask } from './database-thread.ts'
import type { Store } from './open.ts'
import { PageFile } from './page-file.ts'

/** The turn that looks at what was written meanwhile takes long with more pages than these: some tens of milliseconds. */
const MOST_WRITTEN = 4000
const LOOK_EVERY_MS = 10
/** Of the -wal: its own header, and that of each page in it. https://www.sqlite.org/fileformat2.html#walformat */
const WAL_HEADER_BYTES = 32
const FRAME_HEADER_BYTES = 24

/**
 * Overwrites what SQLite leaves of removed rows in parts of the file that it does not read, see `residueIn`, wherever
 * that is, and whosever it was.
 *
 * Another thread goes through the file while a reader that began with an empty -wal keeps SQLite from writing into it:
 * so nobody changes these pages meanwhile, and nobody reads the bytes that are overwritten. What is written in that time
 * is in the -wal, which tells of which pages that was. In the end the -wal is put into the file, and those pages are
 * looked at, in one turn of the event loop and under SQLite's lock for writers. A power cut leaves such bytes as they
 * were or zero.
 */
export class Scrub {
  #file: PageFile | null = null

  constructor(
    private readonly store: Store,
    private readonly clock: Clock,
  ) {}

  /**
   * Answers whether it is done, and calls `onClean` in the same turn in which it is. Otherwise somebody reads the file,
   * too much is written, or it was stopped: to be asked for again. Not to be called while it runs.
   */
  async run(isStopped: () => boolean, onClean: () => void): Promise<boolean> {
    const { store } = this
    if (!store.emptyWal()) return false
    const reader = readerOf(store.path)
    let written: ReadonlySet<number>
    try {
      const doubts = store.guard.doubts.count
      // While the disk is in doubt, the -wal must be begun anew, and nobody may read.
      const isOver = () =>
        isStopped() || store.guard.doubts.count !== doubts || this.#pagesInWal() > MOST_WRITTEN
      this.#file ??= PageFile.at(store.path)
      this.#file.open()
      if (!(await this.#overwriteFrozen(this.#file, isOver))) return false
      // From here on in the turn in which these are overwritten, too.
      written = this.#written()
    } finally {
      // The other thread is done by now, whatever came of it.
      reader.close()
    }
    if (!this.#overwriteWritten(written)) return false
    onClean()
    return true
  }

  /** Answers whether it came to its end. It does not come back before the other thread has ended. */
  async #overwriteFrozen({ descriptor }: PageFile, isOver: () => boolean): Promise<boolean> {
    const { clock } = this
    const stop = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
    const watch = () => {
      if (isOver()) Atomics.store(stop, 0, 1)
      else cancel = clock.after(LOOK_EVERY_MS, watch)
    }
    let cancel = clock.after(LOOK_EVERY_MS, watch)
    try {
      const result = await runDatabaseTask({ kind: 'scrub', descriptor, stop }, NEVER)
      if (!result.ok) throw new Error(`overwriting what was removed: ${result.why}`)
      return Atomics.load(stop, 0) === 0
    } finally {
      cancel()
    }
  }

  /** Answers whether it could: not while somebody else reads or writes what is in the -wal. */
  #overwriteWritten(numbers: ReadonlySet<number>): boolean {
    const { store } = this
    const file = this.#file!
    if (!store.emptyWal(2 * MOST_WRITTEN)) return false
    const isDone = store.relaxedTransaction(() => {
      if (statSync(store.disk.walPath).size > 0) return false
      const last = file.open()
      const free = file.freePages()
      for (const number of numbers) {
        if (number <= last) file.overwriteResidue(number, file.page(number), free)
      }
      file.sync()
      return true
    })
    // What SQLite remembers of the pages still has what they had.
    store.sqlite.run('pragma shrink_memory')
    return isDone
  }

  /** Very many where there is none: whoever removed it is told of elsewhere. */
  #pagesInWal(): number {
    const size = statSync(this.store.disk.walPath, { throwIfNoEntry: false })?.size ?? Infinity
    return size / (FRAME_HEADER_BYTES + this.#file!.pageSize)
  }

  /** The numbers of the pages in the -wal, which was empty in the beginning; also of those that were taken back. */
  #written(): Set<number> {
    const wal = openSync(this.store.disk.walPath, 'r')
    try {
      const frame = FRAME_HEADER_BYTES + this.#file!.pageSize
      const { size } = fstatSync(wal)
      const number = Buffer.alloc(4)
      const written = new Set<number>()
      for (let at = WAL_HEADER_BYTES; at + frame <= size; at += frame) {
        readSync(wal, number, 0, 4, at)
        written.add(number.readUInt32BE(0))
      }
      return written
    } finally {
      closeSync(wal)
    }
  }
}

/** The other thread is asked to stop by `stop`, and waited for. */
const NEVER = new AbortController().signal

/** Somebody who reads the file as it is now, while the -wal is empty: nothing is copied into it as long as they do. */
function readerOf(path: string): Database {
  const reader = new Database(path, { readonly: true })
  reader.run('begin')
  reader.query('select 1 from sqlite_schema').get()
  return reader
}
