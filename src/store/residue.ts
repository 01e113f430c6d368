/**
 * What of a page of a database file SQLite does not read, as https://www.sqlite.org/fileformat2.html#b_tree_pages has it.
 * `secure_delete` overwrites what is removed; but when SQLite deals rows out anew among neighbouring pages it leaves
 * copies of them in the part of a page that no row has.
 */

/** Bytes of a page from one up to another. */
export interface Span {
  readonly from: number
  readonly to: number
}

const INTERIOR = new Set([2, 5])
const LEAF = new Set([10, 13])
/** Of a freeblock: where the next one is, and how long this one is. */
const BLOCK_HEADER_BYTES = 4

/**
 * The bytes of a page of a b-tree that nobody reads and that are not zero: in front of its rows, and in the gaps between
 * them. Null when it is no such page, or not as it should be. Not for the first page of a file, which begins otherwise.
 */
export function residueIn(page: Buffer): readonly Span[] | null {
  const type = page[0]!
  if (!INTERIOR.has(type) && !LEAF.has(type)) return null
  const pointers = INTERIOR.has(type) ? 12 : 8
  const count = page.readUInt16BE(3)
  const behindPointers = pointers + 2 * count
  // 65536 does not fit.
  const content = page.readUInt16BE(5) || 65_536
  if (behindPointers > content || content > page.length) return null
  for (let at = pointers; at < behindPointers; at += 2) {
    const cell = page.readUInt16BE(at)
    if (cell < content || cell >= page.length) return null
  }
  const blocks = blocksOf(page, content)
  return blocks && [{ from: behindPointers, to: content }, ...blocks].filter((span) => !isZero(page, span))
}

/** The freeblocks without their headers: each stands behind the one before. */
function blocksOf(page: Buffer, content: number): Span[] | null {
  const blocks: Span[] = []
  let end = content
  for (let at = page.readUInt16BE(1); at !== 0; at = page.readUInt16BE(at)) {
    if (at < end || at + BLOCK_HEADER_BYTES > page.length) return null
    end = at + page.readUInt16BE(at + 2)
    if (end < at + BLOCK_HEADER_BYTES || end > page.length) return null
    blocks.push({ from: at + BLOCK_HEADER_BYTES, to: end })
  }
  return blocks
}

const ZEROS = Buffer.alloc(65_536)

/** Whether all of these bytes are zero. */
export function isZero(page: Buffer, { from, to }: Span): boolean {
  return page.compare(ZEROS, 0, to - from, from, to) === 0
}
