import { fdatasyncSync, fstatSync, openSync, readSync, writeSync } from 'node:fs'
import { isZero, residueIn, type Span } from './residue.ts'

const HEADER_BYTES = 100
/** SQLite's lock is on these bytes; the page that has them is never used. */
const LOCK_AT = 0x4000_0000
/** With so many pages a page that is none of a b-tree can begin like one. */
const MOST_WITHOUT_MAP = 0x0200_0000
/** In the map of a file: the root of a b-tree, and any other page of one; and what lies free. */
const TREE_KINDS = new Set([1, 5])
const FREE_KIND = new Set([2])
const MAP_ENTRY_BYTES = 5

/**
 * A database file as pages, read past SQLite: what it keeps in the -wal is not seen. Numbered from 1, as SQLite does.
 * https://www.sqlite.org/fileformat2.html
 */
export class PageFile {
  #pageSize = 0
  #reserved = 0
  #hasMap = false
  #firstTrunk = 0

  /** @param descriptor of the file, for reading and writing. Never closed: that would take SQLite's locks away. See `WalIndex`. */
  constructor(readonly descriptor: number) {}

  static at(path: string): PageFile {
    return new PageFile(openSync(path, 'r+'))
  }

  /** Reads the header anew; answers how many pages there are. To be called before all else. */
  open(): number {
    const header = Buffer.alloc(HEADER_BYTES)
    readSync(this.descriptor, header, 0, HEADER_BYTES, 0)
    const size = header.readUInt16BE(16)
    this.#pageSize = size === 1 ? 65_536 : size
    this.#reserved = header[20]!
    this.#firstTrunk = header.readUInt32BE(32)
    this.#hasMap = header.readUInt32BE(52) !== 0
    const pages = Math.floor(fstatSync(this.descriptor).size / this.#pageSize)
    if (!this.#hasMap && pages >= MOST_WITHOUT_MAP) {
      throw new Error('the database is too large to be overwritten in place: see refiner-sync vacuum')
    }
    return pages
  }

  get pageSize(): number {
    return this.#pageSize
  }

  /** The pages that lie free and hold nothing that SQLite reads. */
  freePages(): Set<number> {
    const free = new Set<number>()
    const trunks = new Set<number>()
    for (let at = this.#firstTrunk; at !== 0 && !trunks.has(at);) {
      trunks.add(at)
      const trunk = this.page(at)
      const count = Math.min(trunk.readUInt32BE(4), trunk.length / 4 - 2)
      for (let n = 0; n < count; n++) free.add(trunk.readUInt32BE(8 + 4 * n))
      at = trunk.readUInt32BE(0)
    }
    return free
  }

  page(number: number): Buffer {
    const page = Buffer.alloc(this.#pageSize)
    readSync(this.descriptor, page, 0, this.#pageSize, (number - 1) * this.#pageSize)
    return page
  }

  /** Some pages in a row; fewer at the end of the file. */
  pages(first: number, count: number): Buffer {
    const wanted = Buffer.alloc(count * this.#pageSize)
    const bytes = readSync(this.descriptor, wanted, 0, wanted.length, (first - 1) * this.#pageSize)
    return wanted.subarray(0, bytes - (bytes % this.#pageSize))
  }

  /** Overwrites what of a page nobody reads. To be called only while nobody else writes into the file. */
  overwriteResidue(number: number, page: Buffer, free: ReadonlySet<number>): void {
    for (const span of this.#residue(number, page, free)) this.#overwrite(number, span)
  }

  /** The bytes of a page that nobody reads and that are not zero. The first page has the names of tables only. */
  #residue(number: number, page: Buffer, free: ReadonlySet<number>): readonly Span[] {
    if (number === 1 || this.#isSpecial(number)) return []
    const whole = { from: 0, to: page.length }
    if (free.has(number)) return isZero(page, whole) || !this.#isOf(FREE_KIND, number) ? [] : [whole]
    const found = residueIn(page.subarray(0, page.length - this.#reserved)) ?? []
    // The map is read last: hardly a page has anything.
    return found.length > 0 && this.#isOf(TREE_KINDS, number) ? found : []
  }

  #overwrite(number: number, { from, to }: Span): void {
    const at = (number - 1) * this.#pageSize + from
    if (writeSync(this.descriptor, Buffer.alloc(to - from), 0, to - from, at) < to - from) {
      throw new Error('overwriting what was removed: the disk took a part of it only')
    }
  }

  sync(): void {
    fdatasyncSync(this.descriptor)
  }

  /** Of the map, or that of the lock. */
  #isSpecial(number: number): boolean {
    return number === this.#lockPage || (this.#hasMap && this.#mapOf(number) === number)
  }

  get #lockPage(): number {
    return LOCK_AT / this.#pageSize + 1
  }

  /** The page of the map that tells of this one, or is it. */
  #mapOf(number: number): number {
    const perMap = Math.floor((this.#pageSize - this.#reserved) / MAP_ENTRY_BYTES) + 1
    const map = Math.floor((number - 2) / perMap) * perMap + 2
    return map === this.#lockPage ? map + 1 : map
  }

  /** Whether the map says so; without one, the page itself has to do. */
  #isOf(kinds: ReadonlySet<number>, number: number): boolean {
    if (!this.#hasMap) return true
    const map = this.#mapOf(number)
    const entry = Buffer.alloc(1)
    const at = (map - 1) * this.#pageSize + MAP_ENTRY_BYTES * (number - map - 1)
    readSync(this.descriptor, entry, 0, 1, at)
    return kinds.has(entry[0]!)
  }
}
