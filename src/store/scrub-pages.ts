import type { PageFile } from './page-file.ts'

const PAGES_AT_ONCE = 256

/** Overwrites the residue in all pages of a file into which nobody else writes; stops early where `isStopped`. */
export function scrubPages(file: PageFile, isStopped: () => boolean): void {
  const last = file.open()
  const free = file.freePages()
  for (let first = 1; first <= last; first += PAGES_AT_ONCE) {
    if (isStopped()) return
    const pages = file.pages(first, PAGES_AT_ONCE)
    for (let at = 0; at < pages.length; at += file.pageSize) {
      file.overwriteResidue(first + at / file.pageSize, pages.subarray(at, at + file.pageSize), free)
    }
  }
  file.sync()
}
