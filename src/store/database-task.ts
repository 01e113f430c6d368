import { PageFile } from './page-file.ts'
import { openReader, openUnchanging } from './reader.ts'
import { scrubPages } from './scrub-pages.ts'
import { type Inspection, inspect } from './verify.ts'

/** Work on a whole database file, which takes long. */
export type DatabaseTask =
  /** Writes a copy to `to`, which is empty; answers nothing. */
  | { readonly kind: 'copy'; readonly path: string; readonly to: string }
  | { readonly kind: 'inspect'; readonly path: string; readonly unchanging: boolean }
  /** Overwrites what is left of removed rows, until it is done or `stop` is 1; answers nothing. See `Scrub`. */
  | { readonly kind: 'scrub'; readonly descriptor: number; readonly stop: Int32Array }

export type DatabaseResult =
  { readonly ok: true; readonly inspection: Inspection | null } | { readonly ok: false; readonly why: string }

/** Does a task to its end, on this thread. */
export function doDatabaseTask(task: DatabaseTask): DatabaseResult {
  try {
    switch (task.kind) {
      case 'copy': {
        using sqlite = openReader(task.path)
        sqlite.prepare('vacuum into ?').run(task.to)
        return { ok: true, inspection: null }
      }
      case 'inspect': {
        using sqlite = task.unchanging ? openUnchanging(task.path) : openReader(task.path)
        return { ok: true, inspection: inspect(sqlite) }
      }
      case 'scrub':
        scrubPages(new PageFile(task.descriptor), () => Atomics.load(task.stop, 0) !== 0)
        return { ok: true, inspection: null }
    }
  } catch (error) {
    return { ok: false, why: error instanceof Error ? error.message : String(error) }
  }
}
