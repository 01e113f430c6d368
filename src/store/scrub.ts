import { Database } from 'bun:sqlite'
import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs'
import type { Clock } from '../contracts/clock.ts'
import type { Store } from './open.ts'
import { PageFile } from './page-file.ts'

const PAGES_AT_ONCE = 256
/** Between two parts. */
const REST_MS = 2
/** So many pages are overwritten, or were written meanwhile, that the turn which looks at all of them takes long. */
const MOST_FOUND = 1000
const MOST_WRITTEN = 8000
/** Of the -wal: its own header, and that of each page in it. https://www.sqlite.org/fileformat2.html#walformat */
const WAL_HEADER_BYTES = 32
const FRAME_HEADER_BYTES = 24

/**
 * Overwrites what SQLite leaves of removed rows in parts of the file that it does not read, see `residueIn`, wherever
 * that is, and whosever it was.
 *
 * All pages are looked at while a reader keeps SQLite from writing into the file: what is written meanwhile is in the
 * -wal, where it can be seen which pages that was. When all have been looked at, the -wal is put into the file, and
 * what was found and what was written is overwritten, in one turn of the event loop and under SQLite's lock for
 * writers. A reader of the file is not in the way: none reads these bytes. A power cut leaves them as they were or zero.
 */
export class Scrub {
  #file: PageFile | null = null

  constructor(
    private readonly store: Store,
    private readonly clock: Clock,
  ) {}

  /**
   * Answers whether it is done, and calls `onClean` in the same turn in which it is. Otherwise somebody reads the file,
   * too much is written, or it was stopped: to be asked for again.
   */
  async run(isStopped: () => boolean, onClean: () => void): Promise<boolean> {
    const { store } = this
    if (!store.emptyWal()) return false
    const reader = readerOf(store.path)
    let found: number[] | null
    let written: Set<number>
    try {
      const doubts = store.guard.doubts.count
      // While the disk is in doubt, the -wal must be begun anew, and nobody may read.
      const isOver = () => isStopped() || store.guard.doubts.count !== doubts
      found = await this.#look(isOver)
      if (found === null) return false
      // From here on in the turn in which it is overwritten.
      written = this.#written()
    } finally {
      reader.close()
    }
    if (found.length > MOST_FOUND) {
      // What is overwritten beforehand need not be at the end.
      for (let at = 0; at < found.length && !isStopped(); at += MOST_FOUND) {
        this.#overwrite(found.slice(at, at + MOST_FOUND))
        await this.#rest()
      }
      return false
    }
    if (!this.#overwrite([...new Set([...found, ...written])])) return false
    onClean()
    return true
  }

  /** The pages of the file in which something is left; null when it was broken off. */
  async #look(isOver: () => boolean): Promise<number[] | null> {
    this.#file ??= new PageFile(this.store.path)
    const file = this.#file
    const last = file.open()
    const free = file.freePages()
    const found: number[] = []
    for (let first = 1; first <= last; first += PAGES_AT_ONCE) {
      const pages = await file.pages(first, PAGES_AT_ONCE)
      for (let at = 0; at < pages.length; at += file.pageSize) {
        const number = first + at / file.pageSize
        const page = pages.subarray(at, at + file.pageSize)
        if (file.residue(number, page, free).length > 0) found.push(number)
      }
      await this.#rest()
      if (isOver() || this.#pagesInWal() > MOST_WRITTEN) return null
    }
    return found
  }

  /** Answers whether it could: not while somebody else reads or writes what is in the -wal. */
  #overwrite(numbers: readonly number[]): boolean {
    const { store } = this
    const file = this.#file!
    if (!store.emptyWal(MOST_WRITTEN)) return false
    const isDone = store.relaxedTransaction(() => {
      if (statSync(store.disk.walPath).size > 0) return false
      const last = file.open()
      const free = file.freePages()
      let isAny = false
      for (const number of numbers) {
        if (number > last) continue
        for (const span of file.residue(number, file.page(number), free)) {
          file.overwrite(number, span)
          isAny = true
        }
      }
      if (isAny) file.sync()
      return true
    })
    // What SQLite remembers of the pages still has what they had.
    store.sqlite.run('pragma shrink_memory')
    return isDone
  }

  #pagesInWal(): number {
    return Math.floor(statSync(this.store.disk.walPath).size / (FRAME_HEADER_BYTES + this.#file!.pageSize))
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

  #rest(): Promise<void> {
    return new Promise((resolve) => this.clock.after(REST_MS, resolve))
  }
}

/** Somebody who reads the file as it is now, while the -wal is empty: nothing is copied into it as long as they do. */
function readerOf(path: string): Database {
  const reader = new Database(path, { readonly: true })
  reader.run('begin')
  reader.query('select 1 from sqlite_schema').get()
  return reader
}
