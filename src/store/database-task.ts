import { openReader, openUnchanging } from './reader.ts'
import { type Inspection, inspect } from './verify.ts'

/** Work on a whole database file, which takes long. */
export type DatabaseTask =
  /** Writes a copy to `to`, which is empty; answers nothing. */
  | { readonly kind: 'copy'; readonly path: string; readonly to: string }
  | { readonly kind: 'inspect'; readonly path: string; readonly unchanging: boolean }

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
    }
  } catch (error) {
    return { ok: false, why: error instanceof Error ? error.message : String(error) }
  }
}
